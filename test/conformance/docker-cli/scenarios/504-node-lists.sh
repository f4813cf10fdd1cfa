# title: node ls, ps and inspect: filters, formats and templates
# tags: node format filter
H=$(docker node inspect self -f '{{.Description.Hostname}}')
q docker node update --label-add x.a=1 --label-add x.b $NODE
q docker service create -d --name x-a --replicas 2 $IMG sleep 100000
q docker service create -d --name x-f --restart-condition none $IMG false
q docker service create -d --name x-g --mode global $IMG sleep 100000
replicas x-a 2/2; replicas x-g 1/1; until_ 20 "docker service ps x-f --format '{{.CurrentState}}' | grep -q Failed" failed
for f in label=x.a label=x.a=1 label=x.a=2 node.label=x.a node.label=x.a=1 node.label=x.a=2 node.label=x.b node.label=x.b= role=manager role=Manager role=worker membership=bogus name=$H name=${H:0:3} id=$NODE id=${NODE:0:5} 'role=manager --filter role=worker' 'name= ' engine.label=a 'node.label=x.a --filter node.label=x.b' 'node.label=x.a --filter node.label=nosuch'; do echo "-- $f" | sed "s/$NODE/NODE/; s/${NODE:0:5}/N5/; s/$H/H/; s/${H:0:3}/H3/"; docker node ls --filter $f --format '{{.Self}}' 2>&1; done
run docker node ls --format '{{.ID}} {{.Hostname}} {{.Status}} {{.Availability}} {{.ManagerStatus}} {{.TLSStatus}} {{.EngineVersion}} {{.Self}}'
run docker node ls --format '{{.Bogus}}'
run docker node ls -q --format '{{.ID}}'
for t in '{{.Spec.Labels}}' '{{json .Spec}}' '{{json .Status.State}} {{json .ManagerStatus.Leader}} {{.ManagerStatus.Reachability}}' '{{.Description.Platform}}' '{{.Description.Engine.EngineVersion}}' '{{len .Description.TLSInfo.TrustRoot | lt 100}}' '{{range .Description.Engine.Plugins}}{{if eq .Type "Log"}}{{.Name}} {{end}}{{end}}' '{{range .Description.Engine.Plugins}}{{if eq .Type "Network"}}{{.Name}} {{end}}{{end}}' '{{range .Description.Engine.Plugins}}{{if eq .Type "Volume"}}{{.Name}} {{end}}{{end}}' '{{.Description.Engine.Labels}}' '{{.Description.Resources.GenericResources}}' '{{.Bogus}}' '{{' ; do run docker node inspect -f "$t" self; done
run docker node inspect self nosuch -f '{{.Spec.Role}}'
run docker node inspect $NODE self $H -f '{{.Spec.Role}}'
p() { echo "-- $*" | sed "s/$NODE/NODE/g; s/$H/H/g"; docker node ps --format '{{.Name}} {{.DesiredState}} {{.Error}}' "$@" 2>&1 | grep -E '^(x-|[^ ]*rror|[Nn]o|"|invalid)' | sed -E 's/x-g\.[a-z0-9]*/x-g.N/' | sort; }
p
p self
p $NODE
p $H
p nosuch
p self self
p self nosuch
p --filter name=x-a
p --filter name=x-a.1
p --filter desired-state=shutdown
p --filter desired-state=running
p --filter desired-state=bogus
p --filter id=nosuch
p --filter label=a
p --filter node=self
p --filter service=x-a
p --filter name=x-f --filter desired-state=running
q docker node update --availability drain $NODE
sleep 2
p --filter desired-state=running
p --filter desired-state=shutdown
run docker node update --availability active --label-rm x.a --label-rm x.nosuch $NODE
run docker node update --availability bogus $NODE
run docker node update --role bogus $NODE
run docker node update --role worker $NODE
run docker node update self
run docker node update --label-add '' $NODE
run docker node update --label-add =v $NODE
run docker node update --label-add 'x.c=a=b' --label-add 'x.d=' $NODE
run docker node inspect self -f '{{json .Spec.Labels}}'
run docker node demote self nosuch
run docker node promote self
run docker node promote nosuch
run docker node rm self
run docker node rm -f self
