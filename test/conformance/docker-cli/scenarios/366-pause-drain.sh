# title: availability: pause keeps, drain stops, global services and jobs on a drained node
# tags: node drain
q docker service create -d --name x-r --replicas 2 --stop-grace-period 1s $IMG sleep 100000
q docker service create -d --name x-g --mode global --stop-grace-period 1s $IMG sleep 100000
replicas x-r 2/2; replicas x-g 1/1
run docker node update --availability pause $NODE
sleep 1
run docker service ls --filter name=x- --format '{{.Name}} {{.Replicas}}'
q docker service scale -d x-r=3
until_ 20 "docker service ps --no-trunc --format '{{.Error}}' x-r | grep -q suitable" "waits"
taskstates x-r
run docker node update --availability drain $NODE
until_ 20 "docker service ls --filter name=x-r --format '{{.Replicas}}' | grep -qx 0/3" "drained"
until_ 20 "docker service ls --filter name=x-g --format '{{.Replicas}}' | grep -qx 0/0" "global drained"
taskstates x-g | sed -E 's/x-g\.[a-z0-9]+/x-g.NODE/'
q docker service create -d --name x-j --mode global-job $IMG true
run docker node update --availability active $NODE
replicas x-r 3/3; replicas x-g 1/1
