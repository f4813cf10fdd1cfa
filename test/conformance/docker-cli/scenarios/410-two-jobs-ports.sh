# title: two nodes: jobs, global jobs, limits per node, ports in ingress mode, generic constraints
# tags: two-node job ports
# nodes: 2
on() { docker service ps ${2:---filter desired-state=running} --format '{{.Node}}' $1 | sed "$HOSTSED" | sort | uniq -c; }
q docker service create -d --name x-j --mode replicated-job --replicas 6 --max-concurrent 2 $IMG sh -c 'sleep .3'
until_ 40 "docker service ls --filter name=x-j --format '{{.Replicas}}' | grep -qF '(6/6 completed)'" "job is done"
run docker service ls --filter name=x-j --format '{{.Name}} {{.Mode}} {{.Replicas}}'
q docker service create -d --name x-g --mode global-job $IMG sh -c 'sleep .3'
until_ 40 "docker service ls --filter name=x-g --format '{{.Replicas}}' | grep -qF '(2/2 completed)'" "global job is done"
q docker service update -d --force x-g
sleep 2
until_ 30 "docker service ls --filter name=x-g --format '{{.Replicas}}' | grep -qF '(2/2 completed)'" "global job is done again"
counts x-g
run docker service ls --filter name=x-g --format '{{.Name}} {{.Mode}} {{.Replicas}}'
q docker service create -d --name x-m --replicas 5 --replicas-max-per-node 2 --stop-grace-period 1s $IMG sleep 100000
replicas x-m "4/5"
sleep 1
on x-m
sh_ "docker service ps --no-trunc --format '{{.CurrentState}} {{.Error}}' x-m | grep Pending | sed -E 's/ [0-9]+.*ago//; s/ Less than.*ago//; s/ About.*ago//'"
run docker service update -d --replicas-max-per-node 3 x-m
settled x-m 5
q docker service create -d --name x-h --mode global --publish published=18520,target=80,mode=host --stop-grace-period 1s $IMG sleep 100000
replicas x-h 2/2
sh_ "docker service ps --format '{{.Node}} {{.Ports}}' x-h | sed '$HOSTSED' | sort"
q docker service create -d --name x-p --replicas 3 --publish published=18520,target=80,mode=host $IMG sleep 100000
sleep 2
sh_ "docker service ps --no-trunc --format '{{.Error}}' x-p | sort -u"
q docker node update --label-add x.z=a $NODE
q docker node update --label-add x.z=b $NODE2
q docker service create -d --name x-s --replicas 4 --placement-pref spread=node.labels.x.z --constraint node.labels.x.z!=c --stop-grace-period 1s $IMG sleep 100000
settled x-s 4
on x-s
q docker service update -d --constraint-add node.labels.x.z==a x-s
settled x-s 4
on x-s
q docker node update --label-rm x.z $NODE
until_ 20 "[ \$(docker service ps --filter desired-state=running --format '{{.CurrentState}}' x-s | grep -c ^Pending) = 4 ]" "all wait"
sh_ "docker service ps --no-trunc --filter desired-state=running --format '{{.Error}}' x-s | sort -u"
