# title: service ps and ls: filters together, prefixes, several services, orders
# tags: filter
q docker service create -d --name x-a --replicas 3 --label l=1 --stop-grace-period 0s $IMG sleep 100000
q docker service create -d --name x-ab --replicas 11 --label l=2 --label m --stop-grace-period 0s $IMG sleep 100000
q docker service create -d --name x-f --restart-delay 300ms --restart-max-attempts 2 $IMG sh -c 'exit 3'
q docker service create -d --name x-w --constraint node.labels.none==1 $IMG sleep 1
replicas x-a 3/3; replicas x-ab 11/11
until_ 20 "[ \$(docker service ps x-f --format '{{.CurrentState}}' | grep -c Failed) = 3 ]" "failed thrice"
A=$(docker service inspect x-a -f '{{.ID}}'); T=$(docker service ps -q --no-trunc x-a | head -1)
p() { echo "-- $*" | sed "s/$A/A/g; s/$T/T/g; s/${A:0:8}/A8/; s/${T:0:8}/T8/; s/$NODE/NODE/; s/${NODE:0:6}/N6/"; docker service ps --format '{{.Name}} {{.DesiredState}} {{.Error}}' "$@" 2>&1 | sed "s/$A/A/g; s/$T/T/g"; }
p x-a x-ab
p x-ab x-a
p x-f x-w x-a
p $A
p ${A:0:8}
p x-a nosuch x-f
p nosuch other
p x-a x-a
p --filter name=x-a.1 x-a
p --filter name=x-a x-a
p --filter name=1 x-a
p --filter name=x-ab.1 x-ab
p --filter name=x-ab.1 --filter name=x-ab.2 x-ab
p --filter id=$T x-a
p --filter id=${T:0:8} x-a
p --filter id=bogus x-a
p --filter node=self x-a
p --filter node=$NODE x-w x-a
p --filter node=${NODE:0:6} x-a
p --filter desired-state=running x-f x-a
p --filter desired-state=shutdown x-f x-a
p --filter desired-state=Running x-a
p --filter desired-state=RUNNING x-a
p --filter desired-state=failed x-f
p --filter desired-state=pending x-w
p --filter desired-state=running --filter desired-state=shutdown x-f x-a
p --filter desired-state=running --filter name=x-a.2 --filter node=self x-a
p --filter service=x-a x-ab
p --filter label=l x-a
p --filter up-to-date=true x-a
p --filter name x-a
p --filter '' x-a
run docker service ps
run docker service ps -q --no-trunc nosuch
sh_ "docker service ps --no-resolve x-a --format '{{.Name}} {{.Node}}' | sed -E 's/^[a-z0-9]{25}/ID/'"
sh_ "docker service ps x-f | cut -c18-50"
sh_ "docker service ps x-f -q | wc -l"
l() { echo "-- $*" | sed "s/$A/A/g; s/${A:0:8}/A8/"; docker service ls --format '{{.Name}}' "$@" 2>&1; }
l --filter name=x-a
l --filter name=x-
l --filter name=a
l --filter name=X-A
l --filter id=${A:0:8}
l --filter id=$A --filter name=x-f
l --filter name=x-a --filter name=x-f
l --filter label=l
l --filter label=l=1
l --filter label=l=1 --filter label=m
l --filter label=m
l --filter label=m=
l --filter label=l --filter mode=global
l --filter mode=replicated --filter name=x-f
l --filter mode=Replicated --filter name=x-f
l --filter mode=global --filter mode=replicated --filter name=x-f
l --filter runtime=container --filter name=x-
l --filter desired-state=running
l --filter name= --filter label=l
