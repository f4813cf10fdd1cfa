# title: two nodes: rolling updates, rollback and restarts keep the balance
# tags: two-node update rollback
# nodes: 2
on() { docker service ps --filter desired-state=running --format '{{.Node}}' $1 | sed "$HOSTSED" | sort | uniq -c | sed 's/^ *//'; }
q docker service create -d --name x-u --replicas 4 --update-monitor 300ms --rollback-monitor 300ms --update-parallelism 2 --stop-grace-period 1s $IMG sleep 100000
replicas x-u 4/4; on x-u
q docker service update -d --env-add A=1 x-u
ustate x-u completed; settled x-u 4; on x-u
q docker service rollback -d x-u
ustate x-u rollback_completed; settled x-u 4; on x-u
q docker service update -d --update-order start-first --env-add A=2 x-u
ustate x-u completed; settled x-u 4; on x-u
run docker service update -d --constraint-add node.id==$NODE x-u
ustate x-u completed; settled x-u 4; on x-u
run docker service update -d --constraint-rm node.id==$NODE x-u
sleep 2; settled x-u 4
