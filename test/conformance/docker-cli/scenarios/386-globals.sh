# title: global services: constraints that come and go, node availability, updates and failures
# tags: global node
q docker service create -d --name x-g --mode global --constraint node.labels.x.a==1 --stop-grace-period 1s --update-monitor 200ms $IMG sleep 100000
sleep 1
run docker service ls --filter name=x-g --format '{{.Replicas}}'
counts x-g
q docker node update --label-add x.a=1 $NODE
replicas x-g 1/1
q docker node update --label-add x.a=2 $NODE
until_ 20 "[ -z \"\$(docker ps -q --filter label=com.docker.swarm.service.name=x-g)\" ]" "gone"
taskstates x-g
run docker service ls --filter name=x-g --format '{{.Replicas}}'
q docker node update --label-add x.a=1 $NODE
replicas x-g 1/1
q docker node update --availability pause $NODE
sleep 1; counts x-g
q docker service update -d --force x-g
sleep 2; counts x-g; insp x-g '{{if .UpdateStatus}}{{.UpdateStatus.State}}{{end}}'
q docker node update --availability active $NODE
sleep 3
settled x-g 1; counts x-g; insp x-g '{{if .UpdateStatus}}{{.UpdateStatus.State}}{{end}}'
q docker node update --availability drain $NODE
until_ 20 "[ -z \"\$(docker ps -q --filter label=com.docker.swarm.service.name=x-g)\" ]" "drained"
taskstates x-g
q docker service create -d --name x-d --mode global --stop-grace-period 1s $IMG sleep 100000
sleep 1; counts x-d
run docker service ls --filter name=x-d --format '{{.Replicas}}'
q docker node update --availability active $NODE
replicas x-g 1/1; replicas x-d 1/1
run docker service update -d --constraint-add node.role==worker x-d
sleep 6
counts x-d
insp x-d '{{if .UpdateStatus}}{{.UpdateStatus.State}}{{end}}'
run docker service update -d --constraint-rm node.role==worker x-d
replicas x-d 1/1
q docker service create -d --name x-f --mode global --restart-condition on-failure --restart-max-attempts 1 --restart-delay 100ms $IMG sh -c 'exit 1'
until_ 20 "[ \$(docker service ps --format '{{.CurrentState}}' x-f | grep -c ^Failed) = 2 ]" "failed twice"
sleep 1; taskstates x-f
run docker service update -d --args 'sleep 100000' x-f
settled x-f 1
run docker service scale x-f=2
run docker service update -d --replicas-max-per-node 2 x-f
run docker service create -d --name x-h --mode global --replicas-max-per-node 1 $IMG sleep 1
run docker service create -d --name x-h --mode global --placement-pref spread=node.labels.a $IMG sleep 100000
replicas x-h 1/1
