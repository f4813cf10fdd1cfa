# title: generic resources that no node has
# tags: resources
run docker service create -d --name x-a --generic-resource gpu=1 $IMG sleep 100000
until_ 20 "docker service ps --no-trunc --format '{{.Error}}' x-a | grep -q suitable" "waits"
taskstates x-a
run docker service create -d --name x-b --generic-resource gpu=-1 $IMG sleep 1
run docker service create -d --name x-b --generic-resource gpu=uuid1 $IMG sleep 1
run docker service create -d --name x-b --generic-resource gpu $IMG sleep 1
run docker service create -d --name x-b --generic-resource gpu=1 --generic-resource gpu=2 $IMG sleep 1
run docker service update -d --generic-resource-rm nosuch x-a
run docker service update -d --generic-resource-rm gpu x-a
replicas x-a 1/1
insp x-a '{{json .Spec.TaskTemplate.Resources}}'
run docker service update -d --reserve-memory 90000g x-a
until_ 20 "docker service ps --no-trunc --format '{{.Error}}' x-a | grep -q suitable" "waits"
taskstates x-a
run docker service update -d --reserve-memory 0 --reserve-cpu 0.01 x-a
replicas x-a 1/1
