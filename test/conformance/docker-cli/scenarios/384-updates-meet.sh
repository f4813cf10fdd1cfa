# title: an update during an update, scale during an update, failures before and after the monitor
# tags: update
q docker service create -d --name x-u --replicas 3 --update-delay 20s --update-monitor 300ms --stop-grace-period 1s --env V=1 $IMG sleep 100000
replicas x-u 3/3
vs() { docker ps -q --filter label=com.docker.swarm.service.name=x-u | xargs docker inspect -f '{{range .Config.Env}}{{println .}}{{end}}' | grep ^V= | sort | uniq -c | sed 's/^ *//'; }
q docker service update -d --env-add V=2 x-u
until_ 20 "[ \$(docker service ps --filter desired-state=shutdown --format '{{.CurrentState}}' x-u | grep -c ^Shutdown) = 1 ]" "one is replaced"
settled x-u 3; vs
q docker service update -d --env-add V=3 --update-delay 0s x-u
ustate x-u completed; settled x-u 3; vs
insp x-u '{{.UpdateStatus.Message}}'
q docker service update -d --update-delay 20s --env-add V=4 x-u
until_ 20 "docker service inspect x-u -f '{{.UpdateStatus.State}}' | grep -qx updating" "updating"
q docker service scale -d x-u=5
replicas x-u 5/5
until_ 20 "[ \$(docker ps -q --filter label=com.docker.swarm.service.name=x-u | wc -l) = 5 ]" "five"
vs
insp x-u '{{.UpdateStatus.State}}'
q docker service update -d --update-delay 0s x-u
ustate x-u completed; settled x-u 5; vs
# Fails after the monitor: nobody minds.
q docker service create -d --name x-l --replicas 1 --update-monitor 500ms --update-failure-action pause --restart-condition none --stop-grace-period 1s $IMG sleep 100000
replicas x-l 1/1
q docker service update -d --args 'sh -c "sleep 2; exit 1"' x-l
ustate x-l completed
until_ 20 "docker service ps --format '{{.CurrentState}}' x-l | grep -q ^Failed" "failed later"
insp x-l '{{.UpdateStatus.State}} {{.UpdateStatus.Message}}'
taskstates x-l
# Fails within: paused; the same again after a forced update.
q docker service update -d --update-monitor 5s --args 'sh -c "sleep 1; exit 1"' x-l
ustate x-l paused
q docker service update -d --force x-l
ustate x-l paused
run docker service update -d --args 'sleep 100000' --update-monitor 300ms x-l
ustate x-l completed
settled x-l 1
counts x-l
# To zero and back during an update.
q docker service update -d --replicas 0 --env-add V=5 x-u
until_ 20 "[ -z \"\$(docker ps -q --filter label=com.docker.swarm.service.name=x-u)\" ]" "none"
insp x-u '{{.UpdateStatus.State}}'
q docker service scale -d x-u=2
settled x-u 2; vs
