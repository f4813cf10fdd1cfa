# title: a global service wants no task that still waits for the one it replaces
# tags: global update
q docker service create -d --name x-g --mode global $IMG sleep 100000
q docker service create -d --name x-r --replicas 2 $IMG sleep 100000
replicas x-g 1/1; replicas x-r 2/2
run docker service update -d --args 'sleep 200000' x-g
run docker service update -d --args 'sleep 200000' x-r
sleep 3
run docker service ls --format '{{.Name}} {{.Replicas}}'
sh_ "docker service ps x-g --format '{{.DesiredState}} {{.CurrentState}}' | cut -d' ' -f1,2 | sort"
sh_ "docker service ps x-r --format '{{.DesiredState}} {{.CurrentState}}' | cut -d' ' -f1,2 | sort"
settled x-g 1; settled x-r 2
run docker service ls --format '{{.Name}} {{.Replicas}}'
