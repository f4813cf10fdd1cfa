# title: constraints of every key, met and not met
# tags: constraint scheduler
q docker node update --label-add x.zone=a --label-add x.Case=Yes $NODE
H=$(docker node inspect self -f '{{.Description.Hostname}}')
c() { q docker service create -d --name x-$1 --constraint "$2" $IMG sleep 100000; }
c a node.role==manager; c b node.role!=worker; c c "node.hostname==$H"; c d "node.id==$NODE"
c e node.labels.x.zone==a; c f node.labels.x.zone!=b; c g node.labels.x.Case==yes; c h node.platform.os==linux
c i node.platform.arch==x86_64; c j 'node.labels.nosuch!=x'; c k 'engine.labels.a!=b'; c l 'node.role == manager'
c m node.role==worker; c n node.platform.os==windows; c o engine.labels.a==b; c p node.ip==10.99.0.1; c r node.labels.x.zone==b
for s in a b c d e f g h i j k l; do replicas x-$s 1/1; done
for s in m n o p r; do until_ 20 "docker service ps --no-trunc --format '{{.Error}}' x-$s | grep -q suitable" "waits"; taskstates x-$s; done
run docker service create -d --name x-z --constraint node.bogus==1 $IMG sleep 100000
until_ 20 "docker service ps --no-trunc --format '{{.Error}}' x-z | grep -q suitable" "waits"; taskstates x-z
run docker service create -d --name x-y --constraint '' $IMG sleep 1
run docker service create -d --name x-y --constraint 'node.role=manager' $IMG sleep 1
run docker service create -d --name x-y --constraint 'node.role==' $IMG sleep 1
run docker service create -d --name x-y --constraint 'node.role==a*b' $IMG sleep 1
run docker service create -d --name x-y --constraint 'node.role==a==b' $IMG sleep 1
run docker service create -d --name x-y --constraint 'node.labels.==b' $IMG sleep 1
run docker service create -d --name x-y --constraint 'node.ip==bogus' $IMG sleep 1
run docker service create -d --name x-y --constraint 'node.ip!=10.0.0.0/8' --constraint 'node.role==worker' $IMG sleep 1
run docker node update --label-add x.zone=b $NODE
replicas x-r 1/1
until_ 20 "docker service ps --no-trunc --format '{{.Error}}' x-e | grep -q suitable" "leaves"
taskstates x-e
