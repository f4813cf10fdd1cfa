# title: slot numbers: scale down and up, gaps, drain and failures
# tags: scale
# timeout: 200
names() { docker service ps x-a --filter desired-state=running --format '{{.Name}}' | sort -V | tr '\n' ' '; echo; }
q docker service create -d --name x-a --replicas 5 --stop-grace-period 0s --restart-delay 100ms $IMG sleep 100000
replicas x-a 5/5; names
q docker service scale -d x-a=2; settled x-a 2; names
q docker service scale -d x-a=4; settled x-a 4; names
q docker rm -f $(docker ps -q --filter name=x-a.2.)
sleep .5; settled x-a 4; names
counts x-a
q docker service update -d --replicas 6 --env-add A=1 x-a
ustate x-a completed; settled x-a 6; names; counts x-a
q docker service scale -d x-a=0; settled x-a 0; names
q docker service scale -d x-a=1; settled x-a 1; names
q docker service update -d --constraint-add node.labels.x.p==1 --replicas 3 x-a
sleep 2; names; taskstates x-a | cut -d'|' -f1-4; insp x-a '{{.UpdateStatus.State}}'
q docker node update --label-add x.p=1 $NODE
ustate x-a completed; settled x-a 3; names
