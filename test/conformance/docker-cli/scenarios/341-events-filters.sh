# title: events: types, actions, names, labels, formats, since and until
# tags: events
export SINCE=$(date +%s.%N)
q docker service create -d --name x-a --label k=v --replicas 1 $IMG sleep 100000
replicas x-a 1/1
q docker service create -d --name x-b $IMG sleep 100000
replicas x-b 1/1
q docker service update -d --label-add k=w x-a
q docker service scale -d x-a=2
replicas x-a 2/2
q docker service rm x-b
# The client cuts "until" to whole seconds.
sleep 1.1
e() { echo "-- $*"; timeout 10 docker events --since $SINCE --until 0s "$@" 2>&1; }
F='{{.Type}} {{.Action}} {{index .Actor.Attributes "name"}}'
e --filter scope=swarm --filter service=x-a --format "$F"
e --filter scope=swarm --filter service=x-b --format "$F"
e --filter scope=swarm --filter service=nosuch --format "$F"
e --filter scope=swarm --filter type=service --filter event=remove --filter service=x-b --format "$F"
e --filter scope=swarm --filter event=update --filter service=x-a --format '{{json .Actor.Attributes}}'
e --filter scope=swarm --filter event=create --filter service=x-a --format '{{.Scope}} {{.Status}} {{.From}}'
e --filter scope=swarm --filter type=bogus
e --filter scope=bogus
e --filter bogus=1 --filter scope=swarm --filter service=x-b --format "$F"
e --filter scope=local --filter type=container --filter event=start --filter label=com.docker.swarm.service.name=x-a --format '{{.Type}} {{.Action}} {{.Scope}}' | sort -u
sh_ "docker events --since bogus --until 0s"
sh_ "docker events --since \$SINCE --until 0s --filter scope=swarm --filter service=x-b --format '{{json .}}' | sed -E 's/\"time(Nano)?\":[0-9]+/TIME/g' | head -1"
sh_ "docker events --since \$SINCE --until 0s --filter scope=swarm --filter service=x-b | sed -E 's/^[^ ]+ //' | head -1"
