# title: two nodes: promote, demote and what both nodes say of the swarm
# tags: two-node swarm
# nodes: 2
q docker service create -d --name x-g --mode global --stop-grace-period 0s $IMG sleep 100000
replicas x-g 2/2
run docker node ls --format '{{.Self}} {{.Status}} {{.Availability}} {{.ManagerStatus}}'
sh_ "docker info -f '{{.Swarm.Nodes}} {{.Swarm.Managers}} {{len .Swarm.RemoteManagers}} {{.Swarm.ControlAvailable}}'"
run docker node promote $NODE2
until_ 40 "docker node ls --format '{{.ManagerStatus}}' | grep -q Reachable" reachable
sh_ "docker info -f '{{.Swarm.Nodes}} {{.Swarm.Managers}} {{len .Swarm.RemoteManagers}} {{.Swarm.ControlAvailable}}'"
run docker node ls --filter role=manager --format '{{.Self}} {{.ManagerStatus}}'
sh_ "docker node inspect $NODE2 -f '{{.Spec.Role}} {{.ManagerStatus.Leader}} {{.ManagerStatus.Reachability}}'"
run docker node rm $NODE2
run docker node rm -f $NODE2
run docker node update --role manager $NODE2
sh_ "docker node promote self $NODE2 | sed -E 's/[a-z0-9]{25}/ID/'"
run docker node demote $NODE2
until_ 40 "[ -z \"\$(docker node inspect $NODE2 -f '{{.ManagerStatus}}' | grep -v nil)\" ]" demoted
until_ 40 "docker node ls --format '{{.Status}}' | grep -c Ready | grep -q 2" "both ready"
sh_ "docker info -f '{{.Swarm.Nodes}} {{.Swarm.Managers}} {{len .Swarm.RemoteManagers}} {{.Swarm.ControlAvailable}}'"
run docker node demote self
run docker node ls --format '{{.Self}} {{.Status}} {{.Availability}} {{.ManagerStatus}}'
replicas x-g 2/2
counts x-g
sh_ "docker node ps $NODE2 --format '{{.Name}} {{.DesiredState}}' | grep x-g | sed -E 's/x-g.[a-z0-9]*/x-g.N/'"
run docker node rm $NODE2
sh_ "docker node inspect --pretty $NODE2 | grep -vE 'Address|Version|CPUs|Memory|MIIB|^ *[A-Za-z0-9+/=]{20,}|CERTIF|Joined|ID|Hostname|Issuer'"
