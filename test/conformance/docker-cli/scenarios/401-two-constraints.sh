# title: two nodes: constraints by id, role, hostname and label, alone and together
# tags: two-node constraint scheduler
# nodes: 2
H2=$(docker node inspect $NODE2 -f '{{.Description.Hostname}}')
q docker node update --label-add x.zone=a $NODE
q docker node update --label-add x.zone=b $NODE2
c() { s=$1; shift; q docker service create -d --name x-$s --replicas 2 --stop-grace-period 1s "$@" $IMG sleep 100000; replicas x-$s 2/2; docker service ps --format '{{.Node}}' x-$s | sed "$HOSTSED" | sort | uniq -c | sed 's/^ *//'; }
c id --constraint node.id==$NODE2
c notid --constraint node.id!=$NODE2
c role --constraint node.role==worker
c host --constraint "node.hostname==$H2"
c label --constraint node.labels.x.zone==b
c notlabel --constraint node.labels.x.zone!=b
c both --constraint node.role==manager --constraint node.labels.x.zone==a
q docker service create -d --name x-none --constraint node.role==manager --constraint node.labels.x.zone==b $IMG sleep 1
until_ 20 "docker service ps --no-trunc --format '{{.Error}}' x-none | grep -q suitable" "waits"
taskstates x-none
q docker node update --label-add x.zone=b $NODE
replicas x-none 1/1
run docker service update -d --constraint-rm node.labels.x.zone==b --constraint-add node.labels.x.zone==a x-label
until_ 20 "docker service ps --no-trunc --format '{{.Error}}' x-label | grep -q suitable" "waits"
