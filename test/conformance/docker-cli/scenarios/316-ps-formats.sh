# title: service ps formats, multiple services, missing ones
# tags: service
q docker service create -d --name x-a $IMG sleep 100000
q docker service create -d --name x-b --replicas 2 $IMG sleep 100000
replicas x-a 1/1; replicas x-b 2/2
sh_ "docker service ps --format '{{.Name}} {{.Image}} {{.DesiredState}} {{.Error}} {{.Ports}}' x-a x-b | sort"
run docker service ps --format '{{.Name}}' x-a nosuch
run docker service ps --filter desired-state=bogus x-a
run docker service ps --filter node=nosuch x-a
run docker service ps --filter name=x-a.2 -q x-a
run docker service ps --filter bogus=1 x-a
run docker service ls --filter mode=global --format '{{.Name}}'
run docker service ls --filter bogus=1
run docker service ls --filter mode=bogus
run docker service ls --filter label=nosuch
run docker service ls --filter id=nosuch
sh_ "docker service ls --format json --filter name=x-a | sed -E 's/\"ID\":\"[^\"]*\"/ID/'"
