# title: scale: progress, several, zero, global, jobs, bad input
# tags: scale
q docker service create -d --name x-a --stop-grace-period 1s $IMG sleep 100000
q docker service create -d --name x-g --mode global $IMG sleep 100000
q docker service create -d --name x-z --replicas 0 $IMG sleep 100000
replicas x-a 1/1
run docker service scale -d x-a=3 x-g=2 x-z=1 x-nosuch=1
replicas x-a 3/3; replicas x-z 1/1
run docker service scale -d x-a
run docker service scale -d x-a=
run docker service scale -d =3
run docker service scale -d x-a=1.5
run docker service scale -d x-a=1 x-a=2
run docker service scale x-z=0
run docker service scale
counts x-a
sh_ "docker service ps --filter desired-state=running --format '{{.Name}}' x-a | sort"
q docker service scale -d x-a=1
settled x-a 1
sh_ "docker service ps --format '{{.Name}} {{.DesiredState}}' x-a | sort"
insp x-a '{{json .Spec.Mode}} {{json .PreviousSpec.Mode}} {{json .UpdateStatus}}'
