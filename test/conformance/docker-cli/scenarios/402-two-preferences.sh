# title: two nodes: spread preferences, limits per node, uneven loads
# tags: two-node placement scheduler
# nodes: 2
q docker node update --label-add x.rack=1 $NODE
q docker node update --label-add x.rack=2 $NODE2
on() { docker service ps --filter desired-state=running --format '{{.Node}}' $1 | sed "$HOSTSED" | sort | uniq -c | sed 's/^ *//'; }
q docker service create -d --name x-p --replicas 6 --placement-pref spread=node.labels.x.rack $IMG sleep 100000
replicas x-p 6/6; on x-p
q docker service create -d --name x-m --replicas 3 --replicas-max-per-node 1 $IMG sleep 100000
replicas x-m 2/3; on x-m
until_ 20 "docker service ps --no-trunc --format '{{.Error}}' x-m | grep -q suitable" "waits"
taskstates x-m | cut -d'|' -f3- | sort
q docker service update -d --replicas-max-per-node 2 x-m
replicas x-m 3/3
q docker service create -d --name x-b --constraint node.id==$NODE --replicas 3 $IMG sleep 100000
replicas x-b 3/3
q docker service create -d --name x-e --replicas 2 $IMG sleep 100000
replicas x-e 2/2; on x-e
q docker service scale -d x-p=2
settled x-p 2; on x-p
