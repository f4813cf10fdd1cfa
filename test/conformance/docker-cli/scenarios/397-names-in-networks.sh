# title: names in a network of the swarm: what is answered and what not
# tags: network dataplane dns
# timeout: 180
q docker network create -d overlay --subnet 10.77.130.0/24 --attachable x-n
q docker network create -d overlay --subnet 10.77.131.0/24 --attachable x-m
q docker service create -d --name x-a --hostname hosty --network name=x-n,alias=al --network x-m --endpoint-mode dnsrr $IMG sleep 100000
q docker service create -d --name x-b --replicas 2 --network name=x-n,alias=al --endpoint-mode dnsrr $IMG sleep 100000
q docker run -d --name x-c --network x-n --network-alias cal $IMG sleep 100000
replicas x-a 1/1; replicas x-b 2/2
sleep 1
A=$(docker ps -q --filter name=x-a.1); AN=$(docker ps --format '{{.Names}}' --filter name=x-a.1); B=$(docker ps -q --filter name=x-b.1)
look() { echo "-- $(echo $* | sed -E "s/$A/A/g; s/$AN/AN/g")"; docker exec x-c nslookup "$@" 127.0.0.11 2>&1 | tail -n +3 | grep -E "Address|can't|NXDOMAIN|name =" | sed -E "s/(10\.77\.13.)\.[0-9]+/\1.N/; s/$A/A/; s/[a-z0-9]{25}/ID/g; s/^[0-9]+\.[0-9]+\.77/X.X.77/" | sort | uniq; }
for n in x-a x-b X-A x-a. tasks.x-a tasks.x-b TASKS.x-b al tasks.al x-a.x-n x-b.x-n tasks.x-b.x-n x-a.x-m al.x-n hosty x-c cal x-c.x-n $A $AN ; do look -type=a $n; done
look -type=aaaa x-a
sh_ "docker exec x-c nslookup -type=a x-b 127.0.0.11 | grep -c '^Address.*10.77'"
sh_ "docker exec x-c nslookup -type=a al 127.0.0.11 | grep -c '^Address.*10.77'"
export IP=$(docker inspect $B -f '{{(index .NetworkSettings.Networks "x-n").IPAddress}}')
sh_ "docker exec x-c nslookup \$IP 127.0.0.11 | grep -o 'name = .*' | sed -E 's/[a-z0-9]{25}/ID/'"
export IPC=$(docker inspect x-c -f '{{(index .NetworkSettings.Networks "x-n").IPAddress}}')
sh_ "docker exec $A nslookup \$IPC 127.0.0.11 | grep -o 'name = .*'"
sh_ "docker exec $A nslookup -type=a x-c 127.0.0.11 | grep -c '^Address.*10.77'"
sh_ "docker exec $A nslookup -type=a x-a 127.0.0.11 | grep '^Address.*10.77' | sed -E 's/(10.77.13.).*/\1/' | sort"
sh_ "docker exec $A cat /etc/resolv.conf | grep -v '^#' | grep -v ^search"
sh_ "docker exec x-c ping -c1 -W2 x-a | grep -o '[0-9] packets received'"
sh_ "docker exec x-c ping -c1 -W2 al | grep -o '[0-9] packets received'"
q docker service update -d --network-rm x-n x-a
ustate x-a completed; settled x-a 1; sleep 1
look -type=a x-a
sh_ "docker exec x-c nslookup -type=a al 127.0.0.11 | grep -c '^Address.*10.77'"
q docker service scale -d x-b=0
settled x-b 0; sleep 1
look -type=a x-b
look -type=a al
