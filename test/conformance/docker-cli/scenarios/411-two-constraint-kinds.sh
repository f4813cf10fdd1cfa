# title: two nodes: every attribute of constraints, changed while tasks run
# tags: two-node constraint
# timeout: 150
# nodes: 2
on() { docker service ps --filter desired-state=running --format '{{.Node}}' x-$1 | sed "$HOSTSED" | sort | uniq -c | tr -s ' ' | tr '\n' ';'; echo; }
H2=$(docker node inspect $NODE2 -f '{{.Description.Hostname}}')
A2=$(docker node inspect $NODE2 -f '{{.Status.Addr}}')
n=0
for c in "node.id == $NODE2" "node.id != $NODE2" "node.hostname == $H2" "node.hostname != $H2" "node.hostname == ${H2^^}" "node.role == worker" "node.role != WORKER" "node.role == manager" "node.ip == $A2" "node.ip != $A2" "node.ip == ${A2%.*}.0/24" "node.platform.os == linux" "node.platform.os != Linux" "node.platform.arch == x86_64" "node.platform.arch == amd64" "engine.labels.x == y" "engine.labels.x != y" "node.labels.x.a != 1" "node.labels.X.A != 1" "node.ID==$NODE2" "Node.Role==worker"; do
  n=$((n+1))
  q docker service create -d --name x-$n --replicas 2 --constraint "$c" --stop-grace-period 0s $IMG sleep 100000
done
sleep 8
for i in $(seq $n); do on $i; docker service ps --no-trunc --format '{{.Error}}' x-$i | sort -u; done
q docker node update --label-add x.a=1 $NODE2
settled x-18 2
on 18; on 19
for i in $(seq 1 17) 20 21; do docker service rm x-$i >/dev/null 2>&1; done
q docker service create -d --name x-p --replicas 2 --constraint node.labels.x.a==1 --restart-delay 100ms --stop-grace-period 0s $IMG sleep 100000
settled x-p 2; on p
q docker node update --label-rm x.a $NODE2
until_ 20 "[ \$(docker service ps x-p --filter desired-state=running --format '{{.CurrentState}}' | grep -c Pending) = 2 ]" waits
taskstates x-p
q docker node update --label-add x.a=1 $NODE
settled x-p 2; on p
taskstates x-p
