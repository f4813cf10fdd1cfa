# title: plugins, contexts of builds, search and other verbs of the engine beside a swarm
# tags: container
run docker plugin ls
run docker plugin inspect nosuch
run docker plugin rm nosuch
run docker plugin enable nosuch
run docker plugin disable -f nosuch
run docker plugin set nosuch a=b
run docker plugin push nosuch
run docker system info -f '{{json .Plugins.Network}}'
run docker system events --since 1m --until 0s --filter type=plugin
run docker system events --since 1m --until 0s --filter type=daemon
run docker system events --since 1m --until 0s --filter daemon=nosuch
run docker system events --since 1m --until 0s --filter node=nosuch
run docker system events --since 1m --until 0s --filter secret=nosuch
run docker system events --since 1m --until 0s --filter config=nosuch
run docker system events --since 1m --until 0s --filter network=nosuch
run docker system events --since 1m --until 0s --filter volume=nosuch
run docker system events --since 1m --until 0s --filter image=nosuch
run docker system events --since 1m --until 0s --filter label=nosuch
run docker system events --filter bogus
run docker system events --since 1m --until bogus
q docker node update --label-add x.a=b --label-add x.c=d $NODE
run docker node update --label-rm x.a --label-rm nosuch $NODE
sh_ "docker node inspect $NODE -f '{{json .Spec.Labels}}' | sed 's/.*x.c/x.c/'"
run docker node update --label-rm x.c --label-add x.c=e $NODE
sh_ "docker node inspect $NODE -f '{{index .Spec.Labels \"x.c\"}}'"
run docker node update --label-rm x.c $NODE
q docker service create -d --name x-l --replicas 2 --label k=v --stop-grace-period 1s $IMG sh -c 'echo out; echo err >&2; sleep 100000'
replicas x-l 2/2; sleep 1
sh_ "docker service logs --raw x-l 2>/dev/null | sort"
sh_ "docker service logs --raw x-l 2>&1 >/dev/null | sort"
sh_ "docker service logs --no-trunc --no-task-ids x-l 2>&1 | sed -E 's/@[^ ]+/@HOST/' | sort"
sh_ "docker service logs --no-resolve --raw x-l 2>&1 | sort | uniq -c"
sh_ "docker service logs -t --raw x-l 2>&1 | wc -l"
sh_ "docker service logs --details x-l 2>&1 | sed -E 's/com[^ ]+/DETAILS/; s/^x-l[^|]+/x-l /' | sort | uniq -c"
run docker service logs --raw --no-resolve --since 1h --tail 0 x-l
run docker service logs --since bogus x-l
run docker service logs x-l extra
sh_ "docker service logs --raw \$(docker service ps -q x-l | head -1) 2>&1 | sort"
printf 'version: "3.8"\nservices:\n  a: {image: "busybox:local", command: sleep 100000, stop_grace_period: 1s}\n  b: {image: "busybox:local", command: sleep 100000, stop_grace_period: 1s}\n' >s.yml
printf 'version: "3.8"\nservices:\n  b: {image: "busybox:local", command: sleep 100000, stop_grace_period: 1s}\n' >t.yml
for r in always changed never bogus; do
  sh_ "docker stack deploy -d --resolve-image $r -c s.yml x-st 2>&1 | grep -v -e '^image' -e '^its digest' -e '^possibly' -e '^versions' -e '^\$' | sed -E 's/id: [a-z0-9]+/id/' | sort"
done
sh_ "docker stack deploy -d --prune --resolve-image never -c t.yml x-st 2>&1 | sed -E 's/id: [a-z0-9]+/id/'"
run docker stack services --format '{{.Name}} {{.Replicas}}' x-st
sh_ "docker stack deploy -d --prune -c t.yml x-st2 2>&1 | grep -v -e '^image' -e '^its digest' -e '^possibly' -e '^versions' -e '^\$' | sort"
run docker stack rm x-st x-st2
until_ 30 "docker stack ps x-st 2>&1 | grep -qi 'nothing found'" "its tasks are gone"
run docker stack rm x-st
run docker stack ps x-st
