# title: rollback: with flags, after scale, after settings that replace nothing, with failures, waited for
# tags: rollback
# timeout: 200
s() { docker service inspect x-$1 -f '{{json .Spec.TaskTemplate.ContainerSpec.Env}} {{json .Spec.Labels}} {{.Spec.Mode.Replicated.Replicas}} {{json .Spec.UpdateConfig}} {{json .Spec.RollbackConfig}} {{if .PreviousSpec}}prev {{json .PreviousSpec.TaskTemplate.ContainerSpec.Env}} {{.PreviousSpec.Mode.Replicated.Replicas}}{{else}}none{{end}} {{if .UpdateStatus}}{{.UpdateStatus.State}} {{.UpdateStatus.Message}}{{else}}-{{end}}'; }
q docker service create -d --name x-a --replicas 2 --update-monitor 500ms --rollback-monitor 500ms --stop-grace-period 0s $IMG sleep 100000
replicas x-a 2/2
s a
q docker service scale -d x-a=3
replicas x-a 3/3; sleep .5; s a
run docker service rollback -d x-a
replicas x-a 2/2; sleep .5; s a
q docker service update -d --label-add l=1 x-a
sleep 1; s a
q docker service update -d --update-parallelism 3 x-a
sleep 1; s a
run docker service rollback -d x-a
sleep 1; s a
q docker service update -d --env-add A=1 x-a
ustate x-a completed; s a
run docker service update -d --rollback --env-add B=1 x-a
run docker service update -d --rollback --image busybox:other x-a
run docker service update -d --rollback --replicas 4 x-a
run docker service update -d --rollback --force x-a
run docker service update -d --rollback --update-parallelism 2 x-a
s a
sh_ "docker service update --rollback --quiet x-a | sed 's/^.*(id.*/ID/'"
ustate x-a rollback_completed; settled x-a 2; s a
sh_ "docker service rollback --detach=false x-a 2>&1 | grep -v ^overall | grep -vE '^[a-z0-9]{12}:|^[0-9]+/'"
ustate x-a rollback_completed; settled x-a 2; s a
q docker service update -d --env-add A=2 x-a
ustate x-a completed
q docker service update -d --env-add A=3 --rollback-order start-first --rollback-parallelism 0 x-a
ustate x-a completed
run docker service rollback -d -q x-a
ustate x-a rollback_completed; settled x-a 2; s a
taskstates x-a
q docker service update -d --args 'false' --update-failure-action pause x-a
ustate x-a paused; s a
run docker service rollback -d x-a
ustate x-a rollback_completed; settled x-a 2; s a
q docker service update -d --args 'false' --update-failure-action rollback x-a
ustate x-a rollback_completed; settled x-a 2; s a
run docker service rollback -d x-a
sleep 1; s a
run docker service rollback x-a nosuch
run docker service rollback nosuch
run docker service rollback
