# title: global services that cannot run on a node: ports, resources, platforms
# tags: global port
q docker service create -d --name x-a --mode global --publish published=18540,target=80,mode=host --stop-grace-period 0s $IMG sleep 100000
replicas x-a 1/1
q docker service create -d --name x-b --mode global --publish published=18540,target=80,mode=host --stop-grace-period 0s $IMG sleep 100000
q docker service create -d --name x-c --mode global --reserve-memory 1000g --stop-grace-period 0s $IMG sleep 100000
q docker service create -d --name x-d --mode global --reserve-cpu 1000 --publish published=18540,target=80,mode=host $IMG sleep 100000
q docker service create -d --name x-e --mode global-job --reserve-cpu 1000 $IMG true
q docker service create -d --name x-f --mode global --constraint node.role==worker --stop-grace-period 0s $IMG sleep 100000
q docker service create -d --name x-g --mode global --generic-resource gpu=1 $IMG sleep 100000
q docker service create -d --name x-h --mode global --log-driver nosuch $IMG sleep 100000
q docker service create -d --name x-i --mode global --mount type=volume,src=x-v,dst=/v,volume-driver=nosuch $IMG sleep 100000
sleep 2
for s in b c d e f g h i; do taskstates x-$s; done
run docker service ls --filter name=x- --format '{{.Name}} {{.Mode}} {{.Replicas}}'
q docker service rm x-a
replicas x-b 1/1
taskstates x-b
q docker service update -d --reserve-cpu 0.01 x-e
until_ 20 "docker service ls --filter name=x-e --format '{{.Replicas}}' | grep -qF '1/1 completed'" "job done"
counts x-e
q docker service update -d --constraint-rm node.role==worker x-f
replicas x-f 1/1
taskstates x-f
