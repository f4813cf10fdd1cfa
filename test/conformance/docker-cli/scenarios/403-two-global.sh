# title: two nodes: global services and jobs, drain, pause and labels
# tags: two-node global job drain
# nodes: 2
q docker service create -d --name x-g --mode global --stop-grace-period 1s $IMG sleep 100000
replicas x-g 2/2
run docker node update --availability drain $NODE2
replicas x-g 1/1
run docker node update --availability pause $NODE2
sleep 1
run docker service ls --filter name=x-g --format '{{.Replicas}}'
run docker node update --availability active $NODE2
replicas x-g 2/2
q docker service create -d --name x-j --mode global-job $IMG true
until_ 30 "[ \$(docker service ps --format '{{.CurrentState}}' x-j | grep -c ^Complete) = 2 ]" "both completed"
sh_ "docker service ps --format '{{.Node}} {{.DesiredState}}' x-j | sed \"\$HOSTSED\" | sort"
run docker service ls --filter name=x-j --format '{{.Mode}} {{.Replicas}}'
q docker service update -d --env-add A=1 --update-monitor 300ms x-g
ustate x-g completed
settled x-g 2
sh_ "docker service ps --filter desired-state=running --format '{{.Node}} {{.CurrentState}}' x-g | sed \"\$HOSTSED\" | sed -E 's/Running .*/Running/' | sort"
