# title: two nodes: roles, availability and removal while services run
# tags: two-node node
# nodes: 2
q docker service create -d --name x-w --replicas 4 --stop-grace-period 1s $IMG sleep 100000
replicas x-w 4/4
on() { docker service ps --filter desired-state=running --format '{{.Node}}' $1 | sed "$HOSTSED" | sort | uniq -c; }
on x-w
run docker node promote $NODE2
until_ 30 "docker node inspect $NODE2 -f '{{if .ManagerStatus}}{{.ManagerStatus.Reachability}}{{end}}' | grep -qx reachable" "a manager"
sh_ "docker node ls --format '{{.Hostname}} {{.Status}} {{.Availability}} {{.ManagerStatus}}' | sed '$HOSTSED' | sort"
run docker node promote $NODE2
run docker node rm $NODE2
run docker node rm --force $NODE2
settled x-w 4
run docker node demote $NODE2
until_ 30 "docker node inspect $NODE2 -f '{{if .ManagerStatus}}manager{{else}}worker{{end}}' | grep -qx worker" "a worker"
run docker node demote $NODE2
until_ 30 "docker node inspect $NODE2 -f '{{.Status.State}}' | grep -qx ready" "ready"
settled x-w 4
run docker node rm $NODE2
run docker node update --availability pause $NODE2
q docker service scale -d x-w=6
settled x-w 6
on x-w
run docker node update --availability drain $NODE2
settled x-w 6
on x-w
q docker service update -d --force --update-parallelism 0 --update-monitor 200ms x-w
ustate x-w completed; settled x-w 6
on x-w
run docker node update --availability active $NODE2
q docker service update -d --force x-w
ustate x-w completed; settled x-w 6
on x-w
sh_ "docker node ps $NODE2 --filter desired-state=running --format '{{.Name}} {{.Node}}' | sed '$HOSTSED' | wc -l"
run docker node ls --filter role=worker --format '{{.Status}} {{.Availability}}'
sh_ "docker node inspect --pretty $NODE2 | sed '$HOSTSED' | sed -n '1,/Platform/p' | grep -vE 'ID:|Joined|Address'"
