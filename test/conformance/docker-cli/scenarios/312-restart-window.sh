# title: restart policy: max attempts and the list of failures
# tags: restart
q docker service create -d --name x-r --restart-condition on-failure --restart-max-attempts 2 --restart-delay 200ms $IMG sh -c 'exit 3'
until_ 30 "[ \$(docker service ps -q x-r | wc -l) = 3 ] && [ \$(docker service ps --filter desired-state=running -q x-r | wc -l) = 0 ]" "three tasks, none wanted"
sleep 1
taskstates x-r
run docker service ls --filter name=x-r --format '{{.Replicas}}'
q docker service update -d --force x-r
until_ 30 "[ \$(docker service ps -q x-r | wc -l) -ge 4 ]" "started again"
