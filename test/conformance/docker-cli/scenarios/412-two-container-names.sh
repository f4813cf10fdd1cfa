# title: two nodes: every name of a task is known on the other node too: host name, container id, address
# tags: two-node network dns
# timeout: 150
# nodes: 2
q docker network create -d overlay --attachable --subnet 10.77.150.0/24 x-net
q docker service create -d --name x-far --network name=x-net,alias=x-al --hostname 'h-{{.Task.Slot}}-{{.Service.Name}}' --endpoint-mode dnsrr --constraint node.id==$NODE2 --stop-grace-period 0s $IMG sleep 100000
q docker service create -d --name x-vip --network x-net --constraint node.id==$NODE2 --stop-grace-period 0s $IMG sleep 100000
q docker service create -d --name x-near --network x-net --endpoint-mode dnsrr --hostname near --constraint node.id==$NODE --stop-grace-period 0s $IMG sleep 100000
replicas x-far 1/1; replicas x-near 1/1; replicas x-vip 1/1
sleep 1
N=$(docker ps -q --filter name=x-near.1)
T=$(docker service ps -q --no-trunc x-far)
ID=$(docker inspect $T -f '{{.Status.ContainerStatus.ContainerID}}')
IP=$(docker inspect $T -f '{{range .NetworksAttachments}}{{index .Addresses 0}}{{end}}' | cut -d/ -f1)
V=$(docker service ps -q --no-trunc x-vip)
VID=$(docker inspect $V -f '{{.Status.ContainerStatus.ContainerID}}')
VIP=$(docker service inspect x-vip -f '{{range .Endpoint.VirtualIPs}}{{.Addr}}{{end}}' | cut -d/ -f1)
look() { echo "-- $1"; docker exec $N nslookup -type=a "$2" 127.0.0.11 2>&1 | grep '^Address' | grep 10.77 | sed "s/$IP/FAR/"; }
look service x-far
look alias x-al
look 'service.network' x-far.x-net
look 'task' x-far.1.$T
look 'task.network' x-far.1.$T.x-net
look 'host name' h-1-x-far
look 'host name.network' h-1-x-far.x-net
look 'upper case' H-1-X-FAR
look 'container' ${ID:0:12}
look 'container.network' ${ID:0:12}.x-net
look 'tasks of it' tasks.h-1-x-far
look 'own host name' near
sh_ "docker exec $N nslookup -type=a ${VID:0:12} 127.0.0.11 | grep '^Address' | grep -c 10.77"
sh_ "docker exec $N nslookup $IP 127.0.0.11 | grep -o 'name = .*' | sed 's/$T/TASK/'"
sh_ "docker exec $N nslookup $VIP 127.0.0.11 | grep -o 'name = .*' | sed 's/$V/TASK/'"
sh_ "docker exec $N ping -c1 -W2 h-1-x-far | grep -o '[0-9] packets received'"
