# title: two nodes: node ls, ps, inspect, promote, demote, rm, with bad arguments
# tags: two-node node error
# nodes: 2
sh_ "docker node ls --format '{{.Hostname}} {{.Status}} {{.Availability}} {{.ManagerStatus}} {{.Self}}' | sed \"\$HOSTSED\" | sort"
run docker node ls --filter role=worker --format '{{.Status}} {{.Availability}} [{{.ManagerStatus}}]'
sh_ "docker node inspect \$NODE2 -f '{{.Spec.Role}} {{.Spec.Availability}} {{.Status.State}} {{if .ManagerStatus}}manager{{else}}worker{{end}}'"
run docker node demote $NODE2
run docker node update --role worker $NODE2
run docker node rm $NODE2
run docker node rm $NODE2 nosuch
run docker node promote $NODE2 nosuch
until_ 20 "docker node ls --filter id=$NODE2 --format '{{.ManagerStatus}}' | grep -q Reachable" "reachable"
sh_ "docker node ls --filter role=manager --format '{{.Availability}} {{.ManagerStatus}}' | sort"
run docker info -f '{{.Swarm.Managers}} {{.Swarm.Nodes}}'
run docker node rm $NODE2
run docker node rm --force $NODE2
run docker node update --role worker $NODE2
until_ 30 "docker node inspect $NODE2 -f '{{if .ManagerStatus}}m{{else}}w{{end}}' | grep -q w" "worker again"
until_ 30 "docker node ls --filter id=$NODE2 --format '{{.Status}}' | grep -q Ready" "ready"
run docker info -f '{{.Swarm.Managers}} {{.Swarm.Nodes}}'
q docker service create -d --name x-w --replicas 2 $IMG sleep 100000
replicas x-w 2/2
sh_ "docker node ps \$NODE2 --filter name=x-w --format '{{.Image}} {{.DesiredState}}'"
sh_ "docker node ps \$NODE \$NODE2 --filter name=x-w --format '{{.Node}} {{.DesiredState}}' | sed \"\$HOSTSED\" | sort"
