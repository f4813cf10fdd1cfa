# title: what commands print when they wait
# tags: progress
sh_ "timeout 30 docker service create --detach=false --name x-a --replicas 2 --stop-grace-period 1s $IMG sleep 100000 2>&1 | tail -1"
sh_ "timeout 30 docker service create --name x-g --mode global --stop-grace-period 1s $IMG sleep 100000 2>&1 | tail -1"
sh_ "timeout 30 docker service create --name x-j --mode replicated-job --replicas 3 $IMG true 2>&1 | tail -1"
sh_ "timeout 30 docker service create --name x-gj --mode global-job $IMG true 2>&1 | tail -1"
run docker service create -q --name x-q --replicas 0 $IMG sleep 1
sh_ "timeout 30 docker service update --update-monitor 300ms --env-add A=1 x-a 2>&1 | tail -1"
sh_ "timeout 30 docker service update -q --replicas 1 x-a"
sh_ "timeout 30 docker service scale x-a=3 2>&1 | tail -1"
# Whether a rollback that replaces nothing is over before the client first looks, is chance on a Docker Swarm too.
sh_ "timeout 30 docker service rollback x-a 2>&1 | grep -v '^rollback: ' | tail -1"
sh_ "timeout 30 docker service update --update-monitor 300ms --env-add A=2 x-a 2>&1 | tail -1"
sh_ "timeout 30 docker service rollback x-a 2>&1 | grep -E '^(rollback|verify: Service)'"
sh_ "timeout 30 docker service update --force x-j 2>&1 | tail -1"
sh_ "timeout 4 docker service create --name x-w --constraint node.labels.none==1 $IMG sleep 1 2>&1 | grep -c 'no suitable node' | awk '{print (\$1>0)}'"
sh_ "timeout 30 docker service create --name x-f --restart-max-attempts 1 --restart-delay 100ms --update-monitor 1s $IMG false >/dev/null 2>&1; echo code \$?"
sh_ "timeout 30 docker stack deploy --detach=false -c <(printf 'version: \"3.8\"\nservices: {a: {image: \"busybox:local\", command: sleep 100000, stop_grace_period: 1s}}\n') x-st 2>&1 | grep -v -E '^(overall|verify|1/1|[a-z0-9]{12,25}:)' | sed -E 's/\(id: [a-z0-9]+\)/(id)/'"
