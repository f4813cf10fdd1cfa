# title: manual rollback: spec, previous spec, twice, with progress and with other flags
# tags: rollback
q docker service create -d --name x-u --replicas 2 --update-monitor 300ms --rollback-monitor 300ms --stop-grace-period 1s --env A=1 --label v=1 $IMG sleep 100000
replicas x-u 2/2
q docker service update -d --env-add A=2 --label-add v=2 --replicas 3 x-u
ustate x-u completed
run docker service rollback -d x-u
ustate x-u rollback_completed
settled x-u 2
insp x-u '{{json .Spec.Labels}} {{json .Spec.TaskTemplate.ContainerSpec.Env}} {{json .Spec.Mode}} {{if .PreviousSpec}}{{json .PreviousSpec.Labels}}{{else}}none{{end}} {{.UpdateStatus.State}} {{.UpdateStatus.Message}}'
run docker service rollback -d x-u
q docker service update -d --env-add A=3 x-u
ustate x-u completed
run docker service update -d --rollback --env-add B=1 x-u
run docker service update -d --rollback --force x-u
run docker service rollback --quiet x-u
ustate x-u rollback_completed
insp x-u '{{json .Spec.TaskTemplate.ContainerSpec.Env}}'
run docker service rollback
run docker service rollback x-u x-u
counts x-u
