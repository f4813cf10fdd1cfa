# title: two nodes: where tasks go when others run, fail, wait or are limited
# tags: two-node scheduler
# timeout: 150
# nodes: 2
on() { docker service ps --filter desired-state=running --format '{{.Node}}' x-$1 | sed "$HOSTSED" | sort | uniq -c | tr -s ' ' | tr '\n' ';'; echo; }
q docker service create -d --name x-a --replicas 3 --constraint node.id==$NODE --stop-grace-period 0s $IMG sleep 100000
settled x-a 3
q docker service create -d --name x-b --replicas 3 --stop-grace-period 0s $IMG sleep 100000
settled x-b 3; on b
q docker service create -d --name x-c --replicas 1 --stop-grace-period 0s $IMG sleep 100000
settled x-c 1; on c
q docker service scale -d x-b=6; settled x-b 6; on b
q docker service scale -d x-b=2; settled x-b 2; on b
q docker node update --availability pause $NODE2
q docker service scale -d x-b=5; settled x-b 5; on b
q docker node update --availability active $NODE2
sleep 1; on b
q docker service scale -d x-b=3; settled x-b 3; on b
q docker service update -d --force x-b; sleep .5; ustate x-b completed; settled x-b 3; on b
q docker node update --label-add x.r=1 $NODE
q docker node update --label-add x.r=2 $NODE2
q docker service create -d --name x-d --replicas 4 --placement-pref spread=node.labels.x.r --placement-pref spread=node.labels.x.s --stop-grace-period 0s $IMG sleep 100000
settled x-d 4; on d
q docker service update -d --placement-pref-rm spread=node.labels.x.r --replicas-max-per-node 3 x-d
sleep 1; settled x-d 4; on d
q docker node update --availability drain $NODE
until_ 30 "docker service ls --filter name=x-d --format '{{.Replicas}}' | grep -qF '3/4'" "three fit"
sleep 1
on d
taskstates x-d | grep -i pending | cut -d'|' -f2-
q docker node update --availability active $NODE
settled x-d 4; on d
on a
q docker service create -d --name x-m --replicas 3 --replicas-max-per-node 1 --reserve-cpu 0.01 --stop-grace-period 0s $IMG sleep 100000
replicas x-m "2/3"
sleep 1
taskstates x-m | cut -d'|' -f2- | sort
run docker service ls --filter name=x-m
q docker node update --availability pause $NODE2
q docker service update -d --env-add A=1 x-m
sleep 3
taskstates x-m | cut -d'|' -f3- | sort
q docker node update --availability active $NODE2
until_ 30 "docker service ls --filter name=x-m --format '{{.Replicas}}' | grep -qF '2/3'" "two run"
