# title: published ports that change mode, number, protocol and service
# tags: port
# timeout: 200
ep() { docker service inspect x-$1 -f '{{json .Spec.EndpointSpec}} {{json .Endpoint.Ports}}'; docker service ls --filter name=x-$1 --format '{{.Ports}}'; docker service ps x-$1 --filter desired-state=running --format '{{.Ports}}'; docker ps --filter name=x-$1. --format '{{.Ports}}'; }
q docker service create -d --name x-a --update-monitor 100ms -p 18650:80 --stop-grace-period 0s $IMG sleep 100000
replicas x-a 1/1; ep a
updated x-a 1 --publish-rm 80 --publish-add published=18650,target=80,mode=host; ep a
updated x-a 1 --publish-rm target=80,mode=host --publish-add published=18650,target=80,mode=ingress; ep a
updated x-a 1 --publish-add published=18651,target=80; ep a
updated x-a 1 --publish-add published=18650,target=80,protocol=udp; ep a
updated x-a 1 --publish-rm 80/udp; ep a
updated x-a 1 --publish-rm 80; ep a
updated x-a 1 --publish-add published=18652,target=80,mode=host --publish-add published=18653,target=80,mode=host; ep a
updated x-a 1 --publish-add target=81,mode=host
docker service inspect x-a -f '{{json .Spec.EndpointSpec}}'; docker service ps x-a --filter desired-state=running --format '{{.Ports}}' | sed -E 's/:[34][0-9]{4}->81/:DYN->81/g' | tr ',' '\n' | sort
updated x-a 1 --publish-rm target=81,mode=host --publish-rm target=80,mode=host --publish-add 80 --publish-add 80/udp
docker service inspect x-a -f '{{json .Spec.EndpointSpec}}'
P=$(docker service inspect x-a -f '{{json .Endpoint.Ports}}')
updated x-a 1 --label-add a=1
[ "$P" = "$(docker service inspect x-a -f '{{json .Endpoint.Ports}}')" ] && echo same
updated x-a 1 --env-add a=1
[ "$P" = "$(docker service inspect x-a -f '{{json .Endpoint.Ports}}')" ] && echo same
q docker service create -d --name x-b -p 18655:80 --replicas 0 $IMG sleep 100000
run docker service update -d --publish-add 18655:80 x-a
run docker service update -d --publish-add published=18655,target=99,mode=host x-a
run docker service create -d -q --name x-c -p 18655:80/tcp --replicas 0 $IMG sleep 100000
run docker service create -d -q --name x-c -p published=18655,target=80,mode=host --replicas 0 $IMG sleep 100000
sh_ "docker service create -d -q --name x-c -p 18655:80/udp --replicas 0 $IMG sleep 100000 | wc -c"
run docker service create -d -q --name x-e -p 18656-18657:80 --replicas 0 $IMG sleep 100000
run docker service create -d -q --name x-e -p 18656-18658:80-81 --replicas 0 $IMG sleep 100000
run docker service create -d -q --name x-e -p published=18656-18657,target=80-81 --replicas 0 $IMG sleep 100000
run docker service create -d -q --name x-e -p published=0,target=80,mode=bogus --replicas 0 $IMG sleep 100000
run docker service create -d -q --name x-e -p target=0 --replicas 0 $IMG sleep 100000
run docker service create -d -q --name x-e -p 65536:80 --replicas 0 $IMG sleep 100000
run docker service create -d -q --name x-e -p 18659:80 --endpoint-mode dnsrr --replicas 0 $IMG sleep 100000
q docker service create -d -q --name x-f -p published=18659,target=80,mode=host --endpoint-mode dnsrr $IMG sleep 100000
replicas x-f 1/1; ep f
run docker service update -d --endpoint-mode vip x-f
run docker service update -d --publish-add 18658:81 --endpoint-mode dnsrr x-a
