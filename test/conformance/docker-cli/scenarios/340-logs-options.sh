# title: logs of several tasks: prefixes, since, until, tail, follow, details, of ended tasks
# tags: logs
q docker service create -d --name x-l --replicas 2 --restart-condition none --label sl=1 --container-label cl=1 --env E=1 --log-opt labels=cl --log-opt env=E $IMG sh -c 'echo one; sleep .2; echo two >&2; sleep .2; echo three'
until_ 20 "[ \$(docker service ps --format '{{.CurrentState}}' x-l | grep -c ^Complete) = 2 ]" "ended"
until_ 20 "[ \$(docker service logs --raw x-l 2>&1 | wc -l) = 6 ]" "six lines"
sh_ "docker service logs --raw x-l 2>/dev/null | sort"
sh_ "docker service logs x-l 2>&1 | sed -E 's/\.[a-z0-9]{12}@/.TASK@/; s/@[^ ]+/@N/; s/  +/ /' | sort"
sh_ "docker service logs --no-task-ids x-l 2>&1 | sed -E 's/@[^ ]+/@N/; s/  +/ /' | sort"
sh_ "docker service logs --tail 1 --raw x-l 2>&1 | sort"
sh_ "docker service logs --tail 0 --raw x-l 2>&1 | wc -l"
sh_ "docker service logs --tail all --raw x-l 2>&1 | wc -l"
sh_ "docker service logs --details --raw x-l 2>/dev/null | sort | sed -E 's/[a-z0-9]{25}/ID/g'"
sh_ "docker service logs --details x-l 2>/dev/null | sort | sed -E 's/\.[a-z0-9]{12}@[^ ]+/.TASK/; s/  +/ /; s/[a-z0-9]{25}/ID/g' | head -2"
sh_ "docker service logs -t x-l 2>/dev/null | sed -E 's/\.[a-z0-9]{12}@[^ ]+/.TASK/; s/  +/ /; s/^[0-9T:.-]+Z/TIME/' | sort | head -2"
sh_ "docker service logs --since 2038-01-01 --raw x-l 2>&1 | wc -l"
sh_ "docker service logs --since 2000-01-01T00:00:00 --raw x-l 2>&1 | wc -l"
run docker service logs --tail -1 --raw x-nosuch
run docker service logs
run docker service logs x-l x-l
sh_ "timeout 3 docker service logs -f --raw x-l 2>/dev/null | sort; true"
q docker service create -d --name x-e --restart-condition none $IMG true
until_ 20 "docker service ps --format '{{.CurrentState}}' x-e | grep -q ^Complete" "ended"
run docker service logs x-e
q docker service create -d --name x-n --log-driver none $IMG sh -c 'echo gone; sleep 100000'
replicas x-n 1/1
sh_ "timeout 5 docker service logs x-n 2>&1 | sed -E 's/[a-z0-9]{25}/ID/g'"
q docker service create -d --name x-tty --tty $IMG sh -c 'echo tty; sleep 100000'
replicas x-tty 1/1
until_ 10 "docker service logs --raw x-tty 2>/dev/null | grep -q tty" "line"
run docker service logs --raw x-tty
