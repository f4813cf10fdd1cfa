# title: node ps: several nodes, filters, formats, ended tasks
# tags: node task filter
until_ 30 "[ -z \"\$(docker node ps -q)\" ]" "nothing left of others"
q docker service create -d --name x-a --replicas 2 $IMG sleep 100000
q docker service create -d --name x-b --restart-condition none $IMG sh -c 'exit 3'
q docker service create -d --name x-c --mode global $IMG sleep 100000
q docker service create -d --name x-d --mode replicated-job $IMG true
replicas x-a 2/2; replicas x-c 1/1
until_ 20 "docker service ps --format '{{.CurrentState}}' x-b | grep -q ^Failed" "failed"
until_ 20 "docker service ps --format '{{.CurrentState}}' x-d | grep -q ^Complete" "complete"
F='{{.Name}}|{{.Image}}|{{.Node}}|{{.DesiredState}}|{{.Error}}|{{.Ports}}'
clean() { sed -E 's/\.[a-z0-9]{25}/.NODE/' | sort; }
sh_ "docker node ps --format '$F' | sed -E 's/\.[a-z0-9]{25}/.NODE/' | sort"
sh_ "docker node ps self --filter desired-state=running --format '{{.Name}}' | sed -E 's/\.[a-z0-9]{25}/.NODE/' | sort"
sh_ "docker node ps self --filter desired-state=shutdown --format '{{.Name}}' | sort"
sh_ "docker node ps $NODE --filter name=x-a --format '{{.Name}}' | sort"
sh_ "docker node ps --filter id=nosuch"
run docker node ps --filter bogus=1
run docker node ps nosuch
sh_ "docker node ps nosuch self --format '{{.Name}}' 2>&1 | sed -E 's/\.[a-z0-9]{25}/.NODE/' | sort"
sh_ "docker node ps -q | wc -l"
sh_ "docker node ps --no-resolve --format '{{.Node}}' | sort -u"
sh_ "docker node ps --no-trunc --filter name=x-b --format '{{.ID}}' | wc -c"
sh_ "docker node ps --filter name=x-a | head -1"
sh_ "docker service ps x-a x-b --format '{{.Name}} {{.DesiredState}}' | sort"
sh_ "docker service ps x-a --filter node=self --format '{{.Name}}' | sort"
sh_ "docker service ps x-a --filter node=nosuch --format '{{.Name}}'"
sh_ "docker service ps x-a --filter name=x-a.1 --format '{{.Name}}'"
sh_ "docker service ps x-c --format json 2>&1 | python3 -c 'import json,sys; t=json.loads(sys.stdin.readline()); print(sorted(t))'"
sh_ "docker service ls --format json --filter name=x-a | python3 -c 'import json,sys; t=json.loads(sys.stdin.readline()); print(sorted(t.items()))' | sed -E \"s/'ID', '[a-z0-9]+'/ID/\""
sh_ "docker node ls --format json | python3 -c 'import json,sys; t=json.loads(sys.stdin.readline()); print(sorted(t))'"
