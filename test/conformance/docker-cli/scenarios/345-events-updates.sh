# title: events: what updates say, and each filter by type, name and id
# tags: events
export SINCE=$(date +%s.%N)
q bash -c "printf a | docker secret create -l k=v x-s -"
q bash -c "printf a | docker config create x-c -"
q docker network create -d overlay --subnet 10.77.95.0/24 x-n
q docker service create -d --name x-e --replicas 1 --update-monitor 200ms --rollback-monitor 200ms --stop-grace-period 1s --secret x-s --config x-c --publish 18470:80 $IMG sleep 100000
replicas x-e 1/1
q docker service update -d --env-add A=1 x-e
ustate x-e completed
q docker service rollback -d x-e
ustate x-e rollback_completed
q docker service update -d --replicas 2 --image busybox:latest --no-resolve-image --update-failure-action pause --restart-condition none x-e
ustate x-e paused
q docker node update --label-add x.e=1 $NODE
q docker node update --availability pause $NODE
q docker node update --availability active $NODE
ID=$(docker service inspect -f '{{.ID}}' x-e)
q docker service rm x-e
q docker secret rm x-s
q docker config rm x-c
until_ 20 "docker network rm x-n" "network is gone"
sleep 1.1
e() { echo "-- $*"; timeout 10 docker events --since $SINCE --until 0s --filter scope=swarm "$@" 2>&1; }
A='{{.Type}} {{.Action}} {{json .Actor.Attributes}}'
e --filter type=service --filter service=x-e --format "$A" | sed -E 's/sha256:[a-f0-9]+/DIGEST/' 
e --filter type=service --filter service=$ID --filter event=remove --format "$A"
e --filter type=secret --format "$A"
e --filter type=config --format "$A"
e --filter type=network --filter network=x-n --format "{{.Type}} {{.Action}} {{index .Actor.Attributes \"name\"}}"
e --filter type=node --filter node=$NODE --format "$A"
e --filter type=node --filter type=secret --filter event=update --format "{{.Type}} {{.Action}}"
e --filter secret=x-s --format "{{.Type}} {{.Action}}"
e --filter config=x-c --format "{{.Type}} {{.Action}}"
e --filter node=nosuch --format "{{.Type}} {{.Action}}"
e --filter event=remove --filter service=x-e --filter secret=x-s --format "{{.Type}} {{.Action}}"
