# title: global service: update, force, label, rollback, ps
# tags: global update
q docker service create -d --name x-g --mode global --update-monitor 500ms --stop-grace-period 1s --env A=1 $IMG sleep 100000
replicas x-g 1/1
q docker service update -d --env-add A=2 --label-add q=r x-g
ustate x-g completed
insp x-g '{{json .Spec.Labels}} {{json .Spec.TaskTemplate.ContainerSpec.Env}} {{json .PreviousSpec.TaskTemplate.ContainerSpec.Env}}'
counts x-g
run docker service rollback -d x-g
ustate x-g rollback_completed
insp x-g '{{json .Spec.Labels}} {{json .Spec.TaskTemplate.ContainerSpec.Env}} {{.UpdateStatus.State}} {{.UpdateStatus.Message}}'
run docker service scale x-g=3
run docker service update -d --replicas 2 x-g
run docker service inspect --pretty x-g
