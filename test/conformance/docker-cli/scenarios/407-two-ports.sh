# title: two nodes: ports in host mode on each, conflicts, moves
# tags: two-node ports scheduler
# nodes: 2
q docker service create -d --name x-p --mode global --publish published=18470,target=80,mode=host $IMG sleep 100000
replicas x-p 2/2
sh_ "docker service ps --format '{{.Ports}} {{.Node}}' x-p | sed \"\$HOSTSED\" | sort"
q docker service create -d --name x-q --replicas 1 --publish published=18470,target=80,mode=host $IMG sleep 100000
until_ 20 "docker service ps --no-trunc --format '{{.Error}}' x-q | grep -q suitable" "waits"
taskstates x-q
q docker service rm x-p
replicas x-q 1/1
q docker service create -d --name x-r --replicas 2 --publish published=18471,target=80,mode=host --publish published=18471,target=80,mode=host,protocol=udp $IMG sleep 100000
replicas x-r 2/2
run docker service inspect x-r -f '{{json .Endpoint}}'
