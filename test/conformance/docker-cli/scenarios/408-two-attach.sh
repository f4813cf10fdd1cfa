# title: two nodes: containers by hand and services reach one another over an attachable network
# tags: two-node network container dataplane
# nodes: 2
q docker network create -d overlay --attachable --subnet 10.77.120.0/24 x-att
q docker service create -d --name x-far --network x-att --endpoint-mode dnsrr --constraint node.id==$NODE2 --stop-grace-period 1s $IMG sleep 100000
replicas x-far 1/1
run docker run -d --name x-c1 --network x-att $IMG sleep 100000
FAR=$(docker inspect $(docker service ps -q x-far) -f '{{index (index .NetworksAttachments 0).Addresses 0}}' | cut -d/ -f1)
until_ 20 "docker exec x-c1 ping -c 1 -W 1 $FAR" "reaches the other node"
until_ 20 "docker exec x-c1 nslookup x-far 127.0.0.11 | grep -q 10.77.120." "finds the service"
sh_ "docker exec x-c1 nslookup tasks.x-far 127.0.0.11 | grep -c 'Address.*10\.77\.120\.'"
ME=$(docker inspect x-c1 -f '{{(index .NetworkSettings.Networks "x-att").IPAddress}}')
q docker service create -d --name x-ping --network x-att --endpoint-mode dnsrr --constraint node.id==$NODE2 --restart-condition none $IMG ping -c 1 -w 10 $ME
until_ 30 "docker service ps x-ping --format '{{.CurrentState}}' | grep -q ^Complete" "the other node reaches it"
q docker service create -d --name x-name --network x-att --endpoint-mode dnsrr --constraint node.id==$NODE2 --restart-condition none $IMG sh -c 'for i in 1 2 3 4 5 6 7 8 9; do nslookup x-c1 127.0.0.11 | grep -q 10.77.120. && exit 0; sleep 1; done; exit 1'
until_ 30 "docker service ps x-name --format '{{.CurrentState}}' | grep -qE '^(Complete|Failed)'" "ended"
taskstates x-name
q docker service scale -d x-far=2
replicas x-far 2/2
until_ 20 "[ \$(docker exec x-c1 nslookup tasks.x-far 127.0.0.11 | grep -c 'Address.*10\.77\.120\.') = 2 ]" "finds both"
sh_ "docker rm -f x-c1"
q docker service rm x-far x-ping x-name
until_ 30 "docker network rm x-att" "network can be removed"
