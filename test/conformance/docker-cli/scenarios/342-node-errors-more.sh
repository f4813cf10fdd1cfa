# title: nodes: every verb with bad and good arguments
# tags: node error
run docker node ls
run docker node ls -q
run docker node ls --format '{{json .}}' --filter id=$NODE
run docker node ls --format 'table {{.Hostname}}\t{{.Availability}}\t{{.EngineVersion}}' --filter membership=bogus
run docker node ls --filter label=x.none
run docker node ls --filter node.label=
run docker node ls --filter role=worker
run docker node ls --filter id=nosuch
run docker node ls --filter name=$(docker node inspect self -f '{{.Description.Hostname}}') --format '{{.Hostname}}'
run docker node update --label-add x.k=v --label-add 'x.sp=a b' --label-add x.e= $NODE
run docker node inspect $NODE --format '{{json .Spec}}'
run docker node update --label-add '' $NODE
run docker node update --label-add =v $NODE
run docker node update --label-rm '' $NODE
run docker node update --role worker $NODE
run docker node update --role manager $NODE
run docker node update --availability active --role worker $NODE
run docker node demote $NODE nosuch
run docker node promote $NODE
run docker node rm $NODE
run docker node rm --force $NODE
run docker node rm self
run docker node inspect self nosuch --format '{{.Spec.Role}}'
run docker node inspect
run docker node ps --filter name=x-none
run docker node ps --filter name=x-none -q self nosuch
run docker node update
run docker node promote
run docker node demote
run docker node rm
sh_ "docker node inspect --pretty self | grep -vE '^( ?-|.*(MIB|Memory|CPUs|Kernel|Plugins|Log:|Network:|Volume:|Engine Version|Address|Joined|Runtime|Issuer|[A-Za-z0-9+/=]{40}))' | sed \"\$HOSTSED\""
q docker service create -d --name x-w --replicas 2 $IMG sleep 100000
replicas x-w 2/2
sh_ "docker node ps --filter name=x-w --format '{{.Name}} {{.Image}} {{.DesiredState}} {{.Ports}}' | sort"
sh_ "docker node ps self --filter name=x-w.1 --format '{{.Name}} {{.Node}}' --no-resolve"
sh_ "docker node ps self --filter desired-state=shutdown --filter name=x-w -q | wc -l"
sh_ "docker node ps self --filter label=a --format '{{.Name}}'"
sh_ "docker node ps self --filter id=\$(docker service ps -q --no-trunc --filter name=x-w.2 x-w) --format '{{.Name}}'"
