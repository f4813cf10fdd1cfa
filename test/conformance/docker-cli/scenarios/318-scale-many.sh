# title: scale several, up and down, to zero, output
# tags: scale
q docker service create -d --name x-a --stop-grace-period 1s $IMG sleep 100000
q docker service create -d --name x-b --stop-grace-period 1s $IMG sleep 100000
run docker service scale -d x-a=2 x-b=3
replicas x-a 2/2; replicas x-b 3/3
run docker service scale x-a=0
replicas x-a 0/0
until_ 20 '[ $(docker service ps -q x-a | wc -l) = 0 ]' 'no tasks'
run docker service scale x-b=1
counts x-b
sh_ "docker service ps --filter desired-state=running --format '{{.Name}}' x-b"
run docker service scale x-b=1
run docker service update --replicas 2 x-b
