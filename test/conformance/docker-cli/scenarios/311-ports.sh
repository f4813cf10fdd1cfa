# title: published ports: lists, ranges, protocols, update, inspect
# tags: ports
q docker service create -d --name x-p --publish 18320:80 --publish 18321:81/udp --publish published=18322,target=82,protocol=tcp,mode=host --publish 83 $IMG sleep 100000
replicas x-p 1/1
run docker service inspect x-p --format '{{json .Spec.EndpointSpec}}'
sh_ "docker service inspect x-p --format '{{json .Endpoint.Ports}}'"
run docker service ls --filter name=x-p --format '{{.Ports}}'
run docker service update -d --publish-rm 80 --publish-add 18330-18332:90-92 x-p
settled x-p 1
run docker service inspect x-p --format '{{json .Endpoint.Ports}}'
run docker service create -d --name x-q --publish 18330:80 $IMG sleep 1
run docker service create -d --name x-q --publish 18321:80/tcp $IMG sleep 100000
run docker service create -d --name x-r --publish 18340:80 --publish 18340:81 $IMG sleep 1
run docker service create -d --name x-r --publish published=18341,target=80,mode=host --publish published=18341,target=81,mode=host $IMG sleep 1
run docker service create -d --name x-r --publish published=70000,target=80 $IMG sleep 1
run docker service create -d --name x-r --publish published=18342,target=80,protocol=bogus $IMG sleep 1
run docker service create -d --name x-r --publish published=18342,target=80,mode=bogus $IMG sleep 1
run docker service create -d --name x-r --endpoint-mode dnsrr --publish 18343:80 $IMG sleep 1
run docker service create -d --name x-r --endpoint-mode dnsrr --publish published=18343,target=80,mode=host $IMG sleep 100000
run docker service update -d --endpoint-mode dnsrr x-p
