# title: containers of services that somebody stops, kills, removes or pauses by hand
# tags: container restart
mk() { q docker service create -d --name $1 --stop-grace-period 1s --restart-delay 100ms "${@:2}" $IMG sh -c 'trap "exit 0" TERM; while :; do sleep .1; done'; replicas $1 1/1; }
of() { docker ps -q --filter label=com.docker.swarm.service.name=$1; }
back() { until_ 20 "[ \$(docker service ps -q $1 | wc -l) = 2 ]" "$1 has a second task"; settled $1 1; taskstates $1; }
mk x-kill; docker kill $(of x-kill) >/dev/null; back x-kill
mk x-stop; docker stop $(of x-stop) >/dev/null; back x-stop
mk x-rm; docker rm -f $(of x-rm) >/dev/null; back x-rm
mk x-term; docker kill -s TERM $(of x-term) >/dev/null; back x-term
mk x-exec; docker exec $(of x-exec) kill -9 1; docker exec $(of x-exec) kill 1; back x-exec
mk x-once --restart-condition on-failure; docker stop $(of x-once) >/dev/null
until_ 20 "docker service ps --format '{{.CurrentState}}' x-once | grep -q ^Complete" "complete"; sleep 1; taskstates x-once
run docker service ls --filter name=x-once --format '{{.Replicas}}'
mk x-never --restart-condition none; docker kill $(of x-never) >/dev/null
until_ 20 "docker service ps --format '{{.CurrentState}}' x-never | grep -q ^Failed" "failed"; sleep 1; taskstates x-never
mk x-pause; docker pause $(of x-pause) >/dev/null; sleep 1; taskstates x-pause; docker unpause $(of x-pause) >/dev/null; sleep 1; taskstates x-pause
mk x-restart; docker restart -t 1 $(of x-restart) >/dev/null; sleep 3; counts x-restart
# What was stopped can be forced to run again.
run docker service update -d --force x-once
settled x-once 1
taskstates x-once
q docker service scale -d x-never=2
until_ 20 "docker service ls --filter name=x-never --format '{{.Replicas}}' | grep -qx 1/2" "one of two"
taskstates x-never
