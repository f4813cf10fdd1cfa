# title: jobs: inspect, pretty, ls, ps, global job on one node, bad updates
# tags: job
q docker service create -d --name x-j --mode replicated-job --replicas 5 --max-concurrent 2 $IMG true
until_ 40 "docker service ls --filter name=x-j --format '{{.Replicas}}' | grep -q '5/5 completed'" "completed"
run docker service inspect --pretty x-j
run docker service inspect x-j --format '{{json .Spec.Mode}} {{json .ServiceStatus}} {{json .UpdateStatus}} {{json .Spec.UpdateConfig}} {{json .Spec.TaskTemplate.RestartPolicy}}'
run docker service ls --filter mode=replicated-job --format '{{.Name}} {{.Mode}} {{.Replicas}}'
sh_ "docker service ps x-j --format '{{.Name}} {{.DesiredState}} {{.Error}}' | sed -E 's/\.[a-z0-9]{25}/.NODE/' | sort"
run docker service scale x-j=7
run docker service update -d --replicas 6 x-j
run docker service update -d --max-concurrent 3 x-j
run docker service update -d --restart-condition any x-j
run docker service update -d --update-order start-first x-j
q docker service create -d --name x-g --mode global-job --restart-condition none $IMG sh -c 'exit 2'
until_ 30 "docker service ps --format '{{.CurrentState}}' x-g | grep -q ^Failed" "failed"
taskstates x-g | sed -E 's/x-g\.[a-z0-9]+/x-g.NODE/'
run docker service ls --filter name=x-g --format '{{.Name}} {{.Mode}} {{.Replicas}}'
run docker service inspect --pretty x-g
run docker service scale x-g=2
run docker service update -d --replicas 2 x-g
run docker service ls --filter mode=global-job --format '{{.Name}}'
run docker service create --name x-k --mode replicated-job --replicas 2 -q $IMG true
