# title: logs: tail, since, timestamps, details, raw, no-trunc, task
# tags: logs
q docker service create -d --name x-l --env K=v --label l=1 --log-opt env=K $IMG sh -c 'for i in 1 2 3 4 5; do echo out $i; sleep 0.1; echo err $i >&2; sleep 0.1; done; sleep 100000'
replicas x-l 1/1
until_ 10 '[ $(docker service logs --raw x-l 2>&1 | wc -l) = 10 ]' 'ten lines'
sh_ "docker service logs --raw x-l 2>/dev/null"
sh_ "docker service logs --raw x-l 2>&1 >/dev/null"
sh_ "docker service logs --raw --tail 2 x-l 2>&1 | sort"
sh_ "docker service logs --tail 1 x-l 2>/dev/null | sed -E 's/x-l\.1\.[a-z0-9]+@[^ ]+/TASK/'"
sh_ "docker service logs --no-trunc --tail 1 x-l 2>/dev/null | sed -E 's/x-l\.1\.[a-z0-9]{25}@[^ ]+/LONG/'"
sh_ "docker service logs --no-task-ids --tail 1 x-l 2>/dev/null"
sh_ "docker service logs --no-resolve --tail 1 x-l 2>/dev/null | sed -E 's/^[a-z0-9]+\.1\.[a-z0-9]+@[a-z0-9]+/IDS/'"
sh_ "docker service logs -t --raw --tail 1 x-l 2>/dev/null | sed -E 's/^[0-9TZ:.-]+ /TIME /'"
sh_ "docker service logs --details --raw --tail 1 x-l 2>/dev/null"
sh_ "docker service logs --since 1h --raw x-l 2>/dev/null | wc -l"
sh_ "docker service logs --since 0s --raw x-l 2>/dev/null | wc -l"
sh_ "T=\$(docker service ps -q --no-trunc x-l); docker service logs --raw --tail 1 \$T 2>/dev/null"
run docker service logs nosuch
run docker service logs --tail bogus x-l
run docker service logs --since bogus x-l
