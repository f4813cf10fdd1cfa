# title: jobs: iterations, concurrency, failures, removal while running, scale and force
# tags: job
q docker service create -d --name x-j --mode replicated-job --replicas 4 --max-concurrent 2 --stop-grace-period 1s $IMG sh -c 'sleep 1'
until_ 20 "[ \$(docker service ps --format '{{.CurrentState}}' x-j | grep -cE '^(Running|Starting|Preparing|Ready|Assigned|Accepted)') -le 2 ]" "two at a time"
until_ 30 "[ \$(docker service ps --format '{{.CurrentState}}' x-j | grep -c ^Complete) = 4 ]" "four done"
run docker service ls --filter name=x-j --format '{{.Name}} {{.Mode}} {{.Replicas}}'
taskstates x-j
insp x-j '{{.JobStatus.JobIteration.Index}} {{json .Spec.Mode}}'
run docker service update -d --force x-j
until_ 30 "[ \$(docker service ls --filter name=x-j --format '{{.Replicas}}' | cut -d' ' -f2-) = '(4/4' ] || docker service ls --filter name=x-j --format '{{.Replicas}}' | grep -qxF '0/2 (4/4 completed)'" "done again"
insp x-j '{{gt .JobStatus.JobIteration.Index 0}} {{.Spec.TaskTemplate.ForceUpdate}} {{if .UpdateStatus}}{{.UpdateStatus.State}}{{else}}no update status{{end}}'
counts x-j
run docker service scale -d x-j=6
until_ 30 "docker service ls --filter name=x-j --format '{{.Replicas}}' | grep -qF '(6/6 completed)'" "six"
insp x-j '{{json .Spec.Mode}}'
run docker service update -d --max-concurrent 3 x-j
run docker service update -d --args 'sleep 0' x-j
run docker service update -d --restart-condition any x-j
run docker service update -d --update-parallelism 2 x-j
run docker service rollback -d x-j
q docker service create -d --name x-g --mode global-job --restart-condition none --stop-grace-period 1s $IMG sh -c 'exit 0'
until_ 20 "docker service ls --filter name=x-g --format '{{.Replicas}}' | grep -qF '(1/1 completed)'" "global done"
q docker service update -d --force x-g
sleep 3
run docker service ls --filter name=x-g --format '{{.Replicas}}'
taskstates x-g
run docker service scale -d x-g=2
run docker service update -d --replicas 2 x-g
q docker service create -d --name x-f --mode replicated-job --replicas 1 --restart-condition on-failure --restart-max-attempts 2 --restart-delay 100ms $IMG sh -c 'exit 5'
until_ 30 "[ \$(docker service ps --format '{{.CurrentState}}' x-f | grep -c ^Failed) = 3 ]" "three failures"
sleep 1
taskstates x-f
run docker service ls --filter name=x-f --format '{{.Replicas}}'
q docker service create -d --name x-l --mode replicated-job --replicas 2 --stop-grace-period 1s $IMG sleep 100000
until_ 20 "[ \$(docker service ps --format '{{.CurrentState}}' x-l | grep -c ^Running) = 2 ]" "running"
run docker service ls --filter name=x-l --format '{{.Replicas}}'
run docker service scale -d x-l=1
until_ 20 "[ \$(docker service ps -q x-l | wc -l) = 1 ]" "one is left"
taskstates x-l
run docker service update -d --force x-l
sleep 4
counts x-l
run docker service rm x-l x-f x-g x-j
