# title: health checks: healthy, unhealthy and restarted, in update, inspect of the container
# tags: health
q docker service create -d --name x-ok --health-cmd 'true' --health-interval 500ms $IMG sleep 100000
replicas x-ok 1/1
C=$(docker ps -q --filter name=x-ok)
until_ 10 "docker inspect $C -f '{{.State.Health.Status}}' | grep -qx healthy" "healthy"
run docker inspect $C -f '{{json .Config.Healthcheck}}'
q docker service create -d --name x-bad --restart-delay 100ms --restart-max-attempts 1 --stop-grace-period 1s --health-cmd 'test -e /nosuch' --health-interval 300ms --health-retries 1 $IMG sleep 100000
until_ 30 "[ \$(docker service ps --format '{{.CurrentState}}' x-bad | grep -c ^Failed) = 2 ]" "two failures"
taskstates x-bad
q docker service create -d --name x-u --replicas 1 --update-monitor 3s --update-failure-action rollback --rollback-monitor 300ms --restart-max-attempts 1 --restart-delay 100ms --stop-grace-period 1s $IMG sleep 100000
replicas x-u 1/1
run docker service update -d --health-cmd false --health-interval 300ms --health-retries 1 x-u
ustate x-u rollback_completed
settled x-u 1
insp x-u '{{json .Spec.TaskTemplate.ContainerSpec.Healthcheck}} {{.UpdateStatus.State}}'
