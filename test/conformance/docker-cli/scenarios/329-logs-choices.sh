# title: logs of a service and of single tasks: what each flag shows
# tags: logs
q docker service create -d --name x-l --replicas 3 --restart-condition none --hostname h{{.Task.Slot}} $IMG sh -c 'echo "out of $(hostname)"; sleep .3; echo "err of $(hostname)" >&2; sleep .3; echo; echo "  spaces  "'
until_ 20 "[ \$(docker service ps --format '{{.CurrentState}}' x-l | grep -c ^Complete) = 3 ]" "ended"
until_ 20 "[ \$(docker service logs --raw x-l 2>&1 | wc -l) -ge 12 ]" "lines"
sh_ "docker service logs --raw x-l 2>/dev/null | sort | uniq -c"
sh_ "docker service logs --raw x-l 2>&1 >/dev/null | sort"
sh_ "docker service logs --no-task-ids x-l 2>&1 | sed -E 's/@[^ ]+/@N/' | sort | uniq -c"
sh_ "docker service logs --no-trunc x-l 2>&1 | sed -E 's/\.[a-z0-9]{25}@/.LONG@/; s/@[^ ]+/@N/' | sort | uniq -c"
sh_ "docker service logs --no-resolve x-l 2>&1 | sed -E 's/[a-z0-9]{25}/LONG/g; s/\.[a-z0-9]{12}/.SHORT/; s/@[a-z0-9]{12,} /@NODE /' | sort | uniq -c"
sh_ "docker service logs --no-resolve --no-trunc --no-task-ids x-l 2>&1 | sed -E 's/[a-z0-9]{25}/LONG/g; s/@[a-z0-9]{12} /@NODE /' | sort | uniq -c"
sh_ "docker service logs --tail 2 --no-task-ids x-l 2>&1 | sed -E 's/@[^ ]+/@N/' | sort | uniq -c"
sh_ "docker service logs --since 1h --raw x-l 2>&1 | wc -l"
sh_ "docker service logs --raw -t x-l 2>&1 | sed -E 's/^[0-9-]+T[0-9:]+\.[0-9]{9}Z/TIME/' | sort | uniq -c"
sh_ "docker service logs --details --no-task-ids x-l 2>&1 | sed -E 's/@[^ ]+/@N/; s/[a-z0-9]{25}/ID/g' | sort | uniq -c | head -4"
T=$(docker service ps x-l --filter name=x-l.2 -q)
sh_ "docker service logs $T 2>&1 | sed -E 's/\.[a-z0-9]{12}@[^ ]+/.TASK@N/' | sort"
sh_ "docker service logs --raw --tail 1 $T 2>&1"
sh_ "docker service logs --raw --tail bogus $T 2>&1"
sh_ "docker service logs --raw --since bogus $T 2>&1"
sh_ "docker service logs --raw x-l.2 2>&1"
sh_ "docker service logs --raw --tail 3 --tail 1 x-l 2>/dev/null | sort | uniq -c"
q docker service scale -d x-l=4
until_ 20 "[ \$(docker service ps --format '{{.CurrentState}}' x-l | grep -c ^Complete) = 4 ]" "ended"
sh_ "docker service logs --raw x-l 2>/dev/null | grep -c 'out of'"
(timeout 15 docker service logs -f --raw x-l >f.out 2>f.err; true) &
sleep 1
q docker service scale -d x-l=5
until_ 20 "[ \$(docker service ps --format '{{.CurrentState}}' x-l | grep -c ^Complete) = 5 ]" "ended"
wait
sh_ "grep -h h5 f.out f.err | sort"
q docker service scale -d x-l=1
sh_ "docker service logs --raw x-l 2>/dev/null | grep -c 'out of h1'"
q docker service create -d --name x-o --restart-condition none $IMG sh -c 'echo whole; printf open'
until_ 20 "docker service ps --format '{{.CurrentState}}' x-o | grep -q ^Complete" "ended"
sh_ "docker service logs --raw x-o; echo"
sh_ "docker service logs --raw --tail 1 x-o; echo"
sh_ "docker service logs --raw -t x-o | sed -E 's/[0-9-]+T[0-9:]+\.[0-9]{9}Z/TIME/'"
q docker service create -d --name x-t --tty --restart-condition none $IMG sh -c 'echo whole; printf open'
until_ 20 "docker service ps --format '{{.CurrentState}}' x-t | grep -q ^Complete" "ended"
sh_ "docker service logs --raw x-t | od -c"
