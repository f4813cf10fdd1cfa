# title: a container that becomes unhealthy is replaced; updates wait for health
# tags: health restart update
q docker service create -d --name x-h --replicas 1 --restart-delay 200ms --stop-grace-period 1s --health-cmd 'test ! -e /sick' --health-interval 300ms --health-retries 2 --health-timeout 5s $IMG sleep 100000
replicas x-h 1/1
C=$(docker ps -q --filter name=x-h)
sh_ "docker exec $C touch /sick"
until_ 30 "[ \$(docker service ps -q x-h | wc -l) = 2 ]" "replaced"
settled x-h 1
taskstates x-h
sh_ "docker service ps x-h --filter desired-state=shutdown -q | head -1 | xargs docker inspect -f '{{.Status.State}} {{.Status.Message}} {{.Status.Err}} {{.Status.ContainerStatus.ExitCode}}'"
# Never healthy: it stays in starting, and then fails.
q docker service create -d --name x-n --restart-condition none --stop-grace-period 1s --health-cmd false --health-interval 400ms --health-retries 3 $IMG sleep 100000
until_ 10 "docker service ps x-n --format '{{.CurrentState}}' | grep -q ^Starting" "starting"
run docker service ls --filter name=x-n --format '{{.Name}} {{.Replicas}}'
until_ 20 "docker service ps x-n --format '{{.CurrentState}}' | grep -q ^Failed" "failed"
taskstates x-n
# A start period forgives.
q docker service create -d --name x-p --restart-condition none --stop-grace-period 1s --health-cmd 'test -e /ok' --health-interval 300ms --health-retries 1 --health-start-period 20s $IMG sh -c 'sleep 2; touch /ok; sleep 100000'
replicas x-p 1/1 30
taskstates x-p
# An update to something that is never healthy.
run docker service update -d --update-monitor 5s --update-failure-action pause --restart-max-attempts 1 --health-cmd false --health-retries 1 x-h
ustate x-h paused
sh_ "docker service inspect x-h -f '{{.UpdateStatus.Message}}' | sed -E 's/[a-z0-9]{25}/TASK/'"
run docker service rollback -d x-h
ustate x-h rollback_completed
settled x-h 1
insp x-h '{{json .Spec.TaskTemplate.ContainerSpec.Healthcheck}}'
