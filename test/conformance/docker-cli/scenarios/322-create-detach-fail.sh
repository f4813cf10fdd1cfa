# title: create that waits and fails
# tags: progress
sh_ "timeout 6 docker service create --name x-f --restart-condition none $IMG sh -c 'exit 4' 2>&1 | tail -3; true"
sh_ "timeout 20 docker service create --detach=false --name x-g --replicas 2 --stop-grace-period 1s $IMG sleep 100000 | tail -2"
sh_ "timeout 20 docker service update --detach=false --update-monitor 500ms --env-add A=1 x-g | tail -2"
sh_ "timeout 20 docker service scale x-g=3 | tail -2"
# Whether a rollback that replaces nothing is over before the client first looks, is chance on a Docker Swarm too.
sh_ "timeout 20 docker service rollback x-g | grep -v '^rollback: ' | tail -2"
run docker service update --quiet --update-monitor 300ms --force x-g
run docker service rm x-f x-g
