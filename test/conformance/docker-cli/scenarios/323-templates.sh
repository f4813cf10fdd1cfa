# title: templates in env, hostname, mounts: every name
# tags: template
q docker service create -d --name x-t --label sl=1 --hostname '{{.Node.Hostname}}-{{.Service.Name}}-{{.Task.Slot}}' --env 'A={{.Service.ID}}' --env 'B={{.Service.Name}}' --env 'C={{index .Service.Labels "sl"}}' --env 'D={{.Node.ID}}' --env 'E={{.Node.Hostname}}' --env 'F={{.Task.ID}}' --env 'G={{.Task.Name}}' --env 'H={{.Task.Slot}}' --env 'I={{.Node.Platform.OS}}/{{.Node.Platform.Architecture}}' --mount 'type=volume,src=x-{{.Service.Name}}-{{.Task.Slot}},dst=/d' $IMG sleep 100000
replicas x-t 1/1
C=$(docker ps -q --filter name=x-t)
sh_ "docker exec $C sh -c 'hostname; env | grep -E \"^[A-J]=\" | sort' | sed \"\$HOSTSED\" | sed -E 's/x-t.1.[a-z0-9]{25}/TASK/;s/^F=.*/F/'"
sh_ "docker inspect $C --format '{{range .Mounts}}{{.Name}}{{end}}'"
run docker service create -d --name x-u --env 'A={{.Bogus}}' $IMG sleep 1
run docker service create -d --name x-v --hostname '{{.Service' $IMG sleep 1
run docker service create -d --name x-w --env 'A={{.Task.Bogus}}' $IMG sleep 1
run docker service create -d --name x-x --env 'J={{join (split "a,b" ",") "-"}}' $IMG sleep 1
