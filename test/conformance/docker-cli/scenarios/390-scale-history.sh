# title: history of slots that a service loses by scaling down, and when it goes
# tags: scale history
# timeout: 180
q docker service create -d --name x-h --replicas 3 --stop-grace-period 1s --update-parallelism 0 --update-monitor 100ms $IMG sleep 100000
replicas x-h 3/3
q docker service update -d --force x-h; ustate x-h completed; settled x-h 3
counts x-h
q docker service scale -d x-h=1; settled x-h 1; sleep 3
counts x-h
q docker service update -d --label-add a=b x-h; sleep 1.5
counts x-h
q docker service scale -d x-h=3; settled x-h 3; sleep 1
counts x-h
q docker service update -d --force x-h; ustate x-h completed; settled x-h 3
q docker service scale -d x-h=0; settled x-h 0; sleep 3
counts x-h
q docker service scale -d x-h=2; settled x-h 2; sleep 1
counts x-h
q docker service create -d --name x-f --replicas 3 --restart-delay 500ms --restart-max-attempts 2 $IMG sh -c 'exit 3'
until_ 30 "[ \$(docker service ps -q x-f | wc -l) = 9 ] && ! docker service ps --format '{{.DesiredState}}' x-f | grep -qx -e Running -e Ready" "gave up"
counts x-f
q docker service scale -d x-f=1; sleep 1.5
counts x-f
q docker service scale -d x-f=2
until_ 30 "[ \$(docker service ps --filter desired-state=shutdown -q x-f | wc -l) -ge 6 ] && ! docker service ps --format '{{.DesiredState}}' x-f | grep -qx -e Running -e Ready" "gave up again"; sleep 1
counts x-f
