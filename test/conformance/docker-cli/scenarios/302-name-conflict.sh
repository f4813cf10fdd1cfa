# title: names are unique
# tags: service error
q docker service create -d --name x-n $IMG sleep 100000
run docker service create -d --name x-n $IMG sleep 1
run docker service create -d --name X-N $IMG sleep 1
sh_ "docker service ls --format '{{.Name}}' | grep -i x-n | sort"
echo a | docker config create x-n - >/dev/null
echo a | docker secret create x-n - >/dev/null
sh_ "echo b | docker config create x-n -"
sh_ "echo b | docker secret create x-n -"
q docker network create -d overlay --subnet 10.77.200.0/24 x-n
run docker network create -d overlay x-n
run docker service ls --filter name=x-n --format '{{.Name}} {{.Mode}} {{.Replicas}} {{.Image}} {{.Ports}}'
