# title: service ls and ps: tables, quiet, no-trunc, no-resolve, json, order
# tags: service format
q docker service create -d --name x-b --replicas 2 $IMG sleep 100000
q docker service create -d --name x-a --mode global --publish published=18401,target=80,mode=host $IMG sleep 100000
q docker service create -d --name x-c --replicas 0 --label k=v $IMG sleep 100000
replicas x-b 2/2
replicas x-a 1/1
run docker service ls --format 'table {{.Name}}\t{{.Mode}}\t{{.Replicas}}\t{{.Image}}\t{{.Ports}}'
run docker service ls --format 'table {{.Name}}\t{{.Mode}}\t{{.Ports}}'
sh_ "docker service ls --format '{{json .}}' | sed -E 's/\"ID\":\"[^\"]*\"/ID/'"
run docker service ls --format '{{.Nosuch}}'
run docker service ls --format '{{'
run docker service ls --filter name=x-b --filter name=x-c --format '{{.Name}}'
run docker service ls --filter name=x- --filter label=k=v --format '{{.Name}}'
run docker service ls --filter mode=replicated-job --filter mode=global --format '{{.Name}}'
run docker service ls --filter id=$(docker service inspect -f '{{.ID}}' x-c) -q
run docker service ls --filter name
run docker service ps x-b --format 'table {{.Name}}\t{{.DesiredState}}'
run docker service ps x-b --format '{{.Name}} {{.Node}}' --no-resolve
run docker service ps x-a --format '{{.Name}} {{.Node}}' --no-resolve
sh_ "docker service ps -q x-b | wc -l"
sh_ "docker service ps x-b --no-trunc -q | awk '{print length(\$1)}'"
run docker service ps x-c
run docker service ps
