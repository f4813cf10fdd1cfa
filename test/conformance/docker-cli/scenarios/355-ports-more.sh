# title: published ports: short and long syntax, ranges, random ports, both modes, conflicts over updates
# tags: ports
q docker service create -d --name x-a --publish 18420:80 --publish 18421:81 --publish 18422:82/sctp --publish target=83 --publish target=84,mode=host $IMG sleep 100000
replicas x-a 1/1
insp x-a '{{json .Spec.EndpointSpec.Ports}}'
sh_ "docker service inspect x-a -f '{{json .Endpoint}}' | sed -E 's/\"(NetworkID)\":\"[a-z0-9]+\"/\"\1\":ID/g'"
run docker service ls --filter name=x-a --format '{{.Ports}}'
sh_ "docker service ps x-a --format '{{.Ports}}' | sed -E 's/\*:[0-9]+/*:PORT/'"
run docker service create -d --name x-b --publish 18420:80/udp --publish published=18423,target=80,mode=host --publish published=18423,target=80,mode=host,protocol=udp $IMG sleep 100000
replicas x-b 1/1
run docker service create -d --name x-c --publish published=18420,target=80,mode=host $IMG sleep 100000
run docker service create -d --name x-d --publish 18425 --publish 18425 $IMG sleep 1
run docker service create -d --name x-e --publish 18420-18422:80-81 $IMG sleep 1
run docker service create -d --name x-e --publish 0:80 $IMG sleep 1
run docker service create -d --name x-f --publish 127.0.0.1:18426:80 $IMG sleep 1
run docker service create -d --name x-f --publish 18427:0 $IMG sleep 1
run docker service create -d --name x-f --publish target=80,published=a $IMG sleep 1
run docker service create -d --name x-f --publish published=18428 $IMG sleep 1
run docker service create -d --name x-f --publish target=80,bogus=1 $IMG sleep 1
run docker service create -d --name x-f --publish 18429:80/bogus $IMG sleep 1
run docker service update -d --publish-rm 80 --publish-add 18430:80 x-a
insp x-a '{{json .Spec.EndpointSpec.Ports}}'
run docker service update -d --publish-rm target=83 x-a
run docker service update -d --publish-rm 18422:82/sctp x-a
insp x-a '{{json .Spec.EndpointSpec.Ports}}'
run docker service update -d --publish-add published=18430,target=80,mode=host x-a
run docker service update -d --publish-add 18430:80 x-b
run docker service inspect --pretty x-b
