# title: logs of services some of whose tasks have none: waiting, rejected, ended, removed
# tags: logs
q docker service create -d --name x-l --replicas 2 --replicas-max-per-node 1 --restart-condition none $IMG sh -c 'echo one; sleep 100000'
replicas x-l 1/2
until_ 20 "docker service ps --no-trunc --format '{{.Error}}' x-l | grep -q suitable" "waits"
until_ 10 "docker service logs --raw x-l 2>/dev/null | grep -q one" "line"
sh_ "docker service logs --raw x-l 2>&1 | sed -E 's/[a-z0-9]{25}/ID/g'; echo \${PIPESTATUS[0]}"
sh_ "docker service logs --no-task-ids x-l 2>&1 | sed -E 's/[a-z0-9]{25}/ID/g; s/@[^ ]+/@N/'"
q docker service create -d --name x-p --constraint node.labels.none==1 $IMG true
until_ 20 "docker service ps --no-trunc --format '{{.Error}}' x-p | grep -q suitable" "waits"
sh_ "docker service logs x-p 2>&1 | sed -E 's/[a-z0-9]{25}/ID/g'"
sh_ "docker service logs \$(docker service ps -q --no-trunc x-p) 2>&1 | sed -E 's/[a-z0-9]{25}/ID/g'"
q docker service create -d --name x-r --restart-condition none --mount type=bind,src=/nosuch/x,dst=/x $IMG true
until_ 20 "docker service ps --format '{{.CurrentState}}' x-r | grep -q ^Rejected" "rejected"
sh_ "docker service logs x-r 2>&1 | sed -E 's/[a-z0-9]{25}/ID/g'"
q docker service create -d --name x-z --replicas 0 $IMG true
run docker service logs x-z
q docker service create -d --name x-e --restart-condition none $IMG sh -c 'echo first'
until_ 20 "docker service ps --format '{{.CurrentState}}' x-e | grep -q ^Complete" "complete"
q docker service update -d --args 'sh -c "echo second"' x-e
until_ 20 "[ \$(docker service ps --format '{{.CurrentState}}' x-e | grep -c ^Complete) = 2 ]" "both"
sh_ "docker service logs --raw x-e 2>&1 | sort"
