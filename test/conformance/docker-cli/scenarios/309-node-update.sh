# title: node labels, availability, filters
# tags: node
run docker node update --label-add x.a=1 --label-add x.b $NODE
run docker node inspect $NODE --format '{{json .Spec.Labels}} {{.Spec.Role}} {{.Spec.Availability}}'
run docker node update --label-rm x.a --label-rm x.nosuch $NODE
run docker node inspect $NODE --format '{{json .Spec.Labels}}'
run docker node ls --filter role=manager --format '{{.Hostname}} {{.Status}} {{.Availability}} {{.ManagerStatus}}'
run docker node ls --filter node.label=x.b --format '{{.Hostname}}'
run docker node ls --filter name=nosuch
run docker node ls --filter bogus=1
run docker node ls --filter role=bogus
run docker node demote $NODE
run docker node update --availability pause $NODE
q docker service create -d --name x-p $IMG sleep 100000
until_ 20 "docker service ps --no-trunc --format '{{.Error}}' x-p | grep -q suitable" "reason shown"
taskstates x-p
run docker node update --availability active $NODE
replicas x-p 1/1
sh_ "docker node inspect self --format '{{.ID}}' | wc -c"
sh_ "docker node ps self --filter name=x-p --format '{{.Name}} {{.Image}} {{.DesiredState}}'"
run docker node ps --filter bogus=1 self
run docker node inspect --pretty nosuch
run docker node update $NODE
run docker node update --role worker $NODE
