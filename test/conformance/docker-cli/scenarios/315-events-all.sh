# title: events of secrets, configs, networks, nodes
# tags: events
docker events --filter scope=swarm --format '{{.Type}} {{.Action}} {{index .Actor.Attributes "name"}} {{index .Actor.Attributes "availability.new"}} {{index .Actor.Attributes "availability.old"}}' > ev.txt 2>&1 &
E=$!; sleep 1
echo a | docker secret create x-ea - >/dev/null
echo a | docker config create x-eb - >/dev/null
q docker network create -d overlay --subnet 10.77.30.0/24 x-ec
q docker node update --availability drain $NODE
q docker node update --availability active $NODE
q docker node update --label-add x.ev=1 $NODE
q docker secret rm x-ea; q docker config rm x-eb; q docker network rm x-ec
sleep 1; kill $E; wait $E 2>/dev/null
sed 's/<no value>//g' ev.txt | sed "$HOSTSED"
sh_ "timeout 3 docker events --since 1m --until 0s --filter scope=swarm --filter type=config --format '{{.Type}} {{.Action}} {{.Actor.Attributes.name}}' | grep x-eb"
sh_ "timeout 3 docker events --since 1m --until 0s --filter scope=swarm --filter event=create --filter type=secret --format '{{.Action}} {{.scope}}' | tail -1"
