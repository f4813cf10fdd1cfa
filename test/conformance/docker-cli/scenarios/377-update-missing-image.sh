# title: an update to an image that does not exist pauses or rolls back
# tags: update failure
# Which slot comes first is chance.
tasks() { taskstates $1 | sed -E "s/^$1\.[0-9]/$1.N/" | sort; }
q docker service create -d --name x-p --replicas 2 --stop-grace-period 3s $IMG sleep 100000
replicas x-p 2/2
q docker service update -d --image nosuch:1 x-p
ustate x-p paused
tasks x-p
until_ 20 "docker service ps x-p --format '{{.DesiredState}} {{.CurrentState}}' | grep -q '^Shutdown Rejected'" "tried again"
until_ 20 "docker service ps x-p --format '{{.DesiredState}} {{.CurrentState}}' | grep -q '^Ready Rejected'" "and rejected again"
tasks x-p
q docker service rollback -d x-p
ustate x-p rollback_completed
settled x-p 2
q docker service create -d --name x-r --replicas 2 --update-failure-action rollback --stop-grace-period 1s $IMG sleep 100000
replicas x-r 2/2
q docker service update -d --image nosuch:1 x-r
ustate x-r rollback_completed
settled x-r 2
tasks x-r
