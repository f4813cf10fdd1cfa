# title: service ps: order, history, formats and filters with failed and replaced tasks
# tags: service
q docker service create -d --name x-p --replicas 3 --update-parallelism 0 --update-monitor 200ms --stop-grace-period 1s $IMG sleep 100000
replicas x-p 3/3
for i in 1 2; do q docker service update -d --force x-p; ustate x-p completed; settled x-p 3; done
run docker service ps --format '{{.Name}} {{.DesiredState}}' x-p
sh_ "docker service ps --format '{{.Name}}|{{.Image}}|{{.Node}}|{{.DesiredState}}|{{.Error}}|{{.Ports}}' x-p"
run docker service ps --filter name=x-p.2 --format '{{.Name}} {{.DesiredState}}' x-p
run docker service ps --filter name=x-p.2 --filter name=x-p.3 --filter desired-state=running --format '{{.Name}} {{.DesiredState}}' x-p
run docker service ps --filter desired-state=shutdown --format '{{.Name}} {{.DesiredState}}' x-p
run docker service ps --filter desired-state=accepted -q x-p
run docker service ps --filter node=$NODE --filter desired-state=running --format '{{.Name}}' x-p
run docker service ps --filter node=self --filter desired-state=running --format '{{.Name}}' x-p
run docker service ps --filter id=$(docker service ps -q --filter name=x-p.1 --filter desired-state=running x-p) --format '{{.Name}}' x-p
run docker service ps --filter label=a --format '{{.Name}}' x-p
run docker service ps --filter desired-state=bogus x-p
run docker service ps --filter bogus=1 x-p
run docker service ps --filter bogus x-p
sh_ "docker service ps x-p | head -1"
sh_ "docker service ps --no-trunc x-p | head -1"
run docker service ps --format '{{.Nosuch}}' x-p
sh_ "docker service ps --format '{{json .}}' --filter name=x-p.1 --filter desired-state=running x-p | sed -E 's/\"CurrentState\":\"[^\"]*\"/STATE/'"
sh_ "docker service ps --format 'table {{.Name}}\t{{.DesiredState}}' --filter desired-state=running x-p"
sh_ "docker service ps --no-resolve --filter desired-state=running --format '{{.Name}} {{.Node}}' x-p | sed -E 's/[a-z0-9]{25}/ID/g' | sort"
