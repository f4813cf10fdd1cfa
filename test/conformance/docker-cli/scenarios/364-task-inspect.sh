# title: inspect of tasks: every field, in several states, with filters of the list
# tags: task inspect
q docker service create -d --name x-t --replicas 1 --label l=1 --container-label c=1 --env A=1 --publish published=18450,target=80,mode=host --mount type=tmpfs,dst=/t --reserve-memory 8m --constraint node.role==manager $IMG sleep 100000
replicas x-t 1/1
T=$(docker service ps -q --no-trunc x-t)
sh_ "docker inspect $T | sed -E 's/\"(PID)\": [0-9]+/\"\1\": N/'"
q docker service create -d --name x-w --constraint node.role==worker $IMG sleep 1
until_ 20 "docker service ps --no-trunc --format '{{.Error}}' x-w | grep -q suitable" "waits"
sh_ "docker inspect \$(docker service ps -q x-w) -f '{{json .Status}} {{.DesiredState}} {{.NodeID}} {{.Slot}}' | sed -E 's/\"Timestamp\":\"[^\"]*\"/T/'"
q docker service create -d --name x-f --restart-condition none $IMG sh -c 'exit 5'
until_ 20 "docker service ps --format '{{.CurrentState}}' x-f | grep -q ^Failed" "failed"
sh_ "docker inspect \$(docker service ps -q x-f) -f '{{json .Status}} {{.DesiredState}}' | sed -E 's/\"Timestamp\":\"[^\"]*\"/T/; s/\"PID\":[0-9]+/PID/; s/[a-f0-9]{64}/HEX/'"
q docker service create -d --name x-g --mode global --label gg=1 $IMG sleep 100000
replicas x-g 1/1
sh_ "docker inspect \$(docker service ps -q x-g) -f '{{.Slot}} {{.Labels}} {{json .Spec.Networks}} {{.Spec.Runtime}} {{.Spec.ForceUpdate}}'"
q docker service create -d --name x-j --mode replicated-job $IMG true
until_ 20 "docker service ps --format '{{.CurrentState}}' x-j | grep -q ^Complete" "complete"
sh_ "docker inspect \$(docker service ps -q x-j) -f '{{json .JobIteration}} {{.DesiredState}} {{.Status.State}} {{.Status.Message}}'"
