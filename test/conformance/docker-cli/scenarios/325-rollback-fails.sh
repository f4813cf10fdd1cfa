# title: rollbacks that fail or are called for while an update goes on
# tags: rollback update failure
q docker service create -d --name x-r --replicas 2 --restart-condition none --update-monitor 1s --rollback-monitor 1s --update-failure-action pause --stop-grace-period 1s $IMG sh -c 'test "$BAD" = 1 && exit 3; sleep 100000'
replicas x-r 2/2
run docker service update -d --env-add BAD=1 --rollback-failure-action pause x-r
ustate x-r paused
sh_ "docker service inspect x-r -f '{{.UpdateStatus.Message}}' | sed -E 's/[a-z0-9]{25}/TASK/'"
run docker service rollback -d x-r
ustate x-r rollback_completed
settled x-r 2
# Back to the bad one: the rollback itself fails.
run docker service rollback -d x-r
ustate x-r rollback_paused
sh_ "docker service inspect x-r -f '{{.UpdateStatus.Message}}' | sed -E 's/[a-z0-9]{25}/TASK/'"
insp x-r '{{json .Spec.TaskTemplate.ContainerSpec.Env}} {{if .PreviousSpec}}{{json .PreviousSpec.TaskTemplate.ContainerSpec.Env}}{{else}}none{{end}}'
sh_ "docker service inspect --pretty x-r | sed -n '/UpdateStatus/,/Placement/p' | sed -E 's/task [a-z0-9]{25}/task TASK/'"
run docker service update -d --env-add BAD=0 x-r
ustate x-r completed
settled x-r 2
insp x-r '{{json .Spec.TaskTemplate.ContainerSpec.Env}} {{json .PreviousSpec.TaskTemplate.ContainerSpec.Env}}'
# Called for while an update goes on.
q docker service update -d --update-delay 30s --env-add C=1 x-r
until_ 20 "docker service inspect x-r -f '{{.UpdateStatus.State}}' | grep -qx updating" "under way"
until_ 20 "[ \$(docker ps -q --filter label=com.docker.swarm.service.name=x-r | xargs docker inspect -f '{{.Config.Env}} {{.State.Running}}' | grep -c 'C=1.*true') = 1 ]" "one is new"
run docker service rollback -d x-r
ustate x-r rollback_completed
settled x-r 2
sh_ "docker ps -q --filter label=com.docker.swarm.service.name=x-r | xargs docker inspect -f '{{json .Config.Env}}' | sort -u"
insp x-r '{{.UpdateStatus.State}} {{.UpdateStatus.Message}}'
