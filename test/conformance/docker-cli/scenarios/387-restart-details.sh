# title: restart policies: delays, windows and attempts seen over time, and what an update does to them
# tags: restart timing
q docker service create -d --name x-w --restart-max-attempts 2 --restart-window 1h --restart-delay 100ms $IMG sh -c 'exit 7'
until_ 20 "[ \$(docker service ps --format '{{.CurrentState}}' x-w | grep -c ^Failed) = 3 ]" "three failures"
sleep 1; taskstates x-w
run docker service ls --filter name=x-w --format '{{.Replicas}}'
q docker service update -d --force x-w
sleep 10; counts x-w; insp x-w '{{if .UpdateStatus}}{{.UpdateStatus.State}} {{.UpdateStatus.Message}}{{end}}' | sed -E 's/[a-z0-9]{25}/TASK/'
q docker service create -d --name x-d --restart-delay 3s $IMG sh -c 'exit 0'
until_ 20 "docker service ps --format '{{.CurrentState}}' x-d | grep -q ^Complete" "ended"
run docker service ps x-d --format '{{.Name}} {{.DesiredState}}'
until_ 20 "[ \$(docker service ps --format '{{.CurrentState}}' x-d | grep -c ^Complete) = 2 ]" "ended again"
q docker service create -d --name x-0 --restart-max-attempts 0 --restart-delay 50ms $IMG sh -c 'exit 1'
until_ 30 "[ \$(docker service ps -q x-0 | wc -l) -ge 5 ]" "five"
q docker service scale -d x-0=0
until_ 20 "[ -z \"\$(docker service ps -q --filter desired-state=running x-0)\" ]" "none wanted"
q docker service create -d --name x-z --restart-delay 0s --restart-condition any --restart-max-attempts 3 $IMG true
until_ 30 "[ \$(docker service ps --format '{{.CurrentState}}' x-z | grep -c ^Complete) = 4 ]" "four"
sleep 1; taskstates x-z
q docker service create -d --name x-r --replicas 3 --restart-condition on-failure --restart-delay 100ms --restart-max-attempts 1 $IMG sh -c '[ $SLOT = 2 ] && exit 3; exit 0' 
run docker service create -d --name x-s --env 'SLOT={{.Task.Slot}}' --replicas 3 --restart-condition on-failure --restart-delay 100ms --restart-max-attempts 1 $IMG sh -c '[ $SLOT = 2 ] && exit 3; exit 0'
until_ 20 "[ \$(docker service ps --format '{{.CurrentState}}' x-s | grep -cE '^(Failed|Complete)') = 4 ]" "all ended"
sleep 1; taskstates x-s
run docker service ls --filter name=x-s --format '{{.Replicas}}'
run docker service update -d --restart-condition bogus x-s
run docker service update -d --restart-delay bogus x-s
run docker service update -d --restart-delay -1s x-s
run docker service update -d --restart-window -1s x-s
run docker service update -d --restart-max-attempts -1 x-s
