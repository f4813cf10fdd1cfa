# title: texts of tasks that wait
# tags: scheduler pending
q docker service create -d --name x-a --constraint node.labels.nosuch==1 $IMG sleep 1
q docker service create -d --name x-b --reserve-memory 100000g $IMG sleep 1
q docker service create -d --name x-c --generic-resource gpu=2 $IMG sleep 1
q docker service create -d --name x-d --replicas 3 --replicas-max-per-node 1 $IMG sleep 100000
q docker service create -d --name x-e --mount type=volume,src=x-v,dst=/x,volume-driver=nosuch $IMG sleep 1
q docker service create -d --name x-f --constraint node.role==worker --mode global $IMG sleep 1
replicas x-d 1/3
# Which of three tasks gets the one place is chance.
for s in a b c d e; do until_ 20 "docker service ps --no-trunc --format '{{.Error}}' x-$s | grep -q suitable" "reason $s"; taskstates x-$s | sed "s/^x-$s\.[0-9]/x-$s.N/" | sort; done
run docker service ls --filter name=x-f --format '{{.Name}} {{.Replicas}}'
run docker service ls --filter name=x-d --format '{{.Name}} {{.Replicas}}'
taskstates x-f
