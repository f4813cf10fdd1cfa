# title: containers in attachable networks of the swarm
# tags: network container dataplane
q docker network create -d overlay --attachable --subnet 10.77.110.0/24 x-att
q docker network create -d overlay --subnet 10.77.111.0/24 x-not
run docker run -d --name x-c1 --network x-att --network-alias al $IMG sleep 100000
run docker run --rm --network x-not $IMG true
run docker run -d --name x-c2 --network x-att --ip 10.77.110.77 $IMG sleep 100000
sh_ "docker inspect x-c2 -f '{{(index .NetworkSettings.Networks \"x-att\").IPAddress}}'"
sh_ "docker inspect x-c1 -f '{{range \$k, \$v := .NetworkSettings.Networks}}{{\$k}} {{\$v.IPPrefixLen}} {{end}}'"
sh_ "docker exec x-c1 ping -c 1 -W 2 10.77.110.77 | grep -c '1 packets received'"
q docker service create -d --name x-w --network x-att --endpoint-mode dnsrr --stop-grace-period 1s $IMG sleep 100000
replicas x-w 1/1
sh_ "docker exec x-c1 nslookup x-w 127.0.0.11 | grep -c 'Address.*10\.77\.110\.'"
sh_ "docker exec x-c1 nslookup tasks.x-w 127.0.0.11 | grep -c 'Address.*10\.77\.110\.'"
sh_ "docker exec \$(docker ps -q --filter name=x-w) nslookup x-c1 127.0.0.11 | grep -c 'Address.*10\.77\.110\.'"
sh_ "docker exec \$(docker ps -q --filter name=x-w) nslookup al 127.0.0.11 | grep -c 'Address.*10\.77\.110\.'"
sh_ "docker exec \$(docker ps -q --filter name=x-w) ping -c 1 -W 2 10.77.110.77 | grep -c '1 packets received'"
run docker run -d --name x-c3 $IMG sleep 100000
run docker network connect --alias al3 x-att x-c3
sh_ "docker exec x-c3 ping -c 1 -W 2 10.77.110.77 | grep -c '1 packets received'"
run docker network connect x-not x-c3
run docker network connect x-att x-c3
run docker network connect x-att nosuch
sh_ "docker network inspect x-att -f '{{range .Containers}}{{.Name}} {{end}}' | tr ' ' '\n' | grep -E '^x-c' | sort"
sh_ "docker network rm x-att 2>&1 | sed -E 's/(by|service|task) [a-z0-9]{25}/\1 ID/g'"
run docker network disconnect x-att x-c3
sh_ "docker inspect x-c3 -f '{{range \$k, \$v := .NetworkSettings.Networks}}{{\$k}} {{end}}'"
run docker network disconnect -f x-att x-c3
q docker service rm x-w
sh_ "docker rm -f x-c1 x-c2 x-c3 | sort"
until_ 20 "docker network rm x-att" "network can be removed"
run docker network rm x-not
