# title: waiting tasks start when reservations, ports and places become free, in which order and with which words
# tags: scheduler
CPUS=$(docker node inspect $NODE -f '{{.Description.Resources.NanoCPUs}}')
ALL=$(awk "BEGIN{print $CPUS/1e9}")
q docker service create -d --name x-a --reserve-cpu $ALL --stop-grace-period 0s $IMG sleep 100000
replicas x-a 1/1
q docker service create -d --name x-b --reserve-cpu $ALL --stop-grace-period 0s $IMG sleep 100000
q docker service create -d --name x-c --reserve-cpu .1 --publish published=18541,target=80,mode=host --replicas 2 --stop-grace-period 0s $IMG sleep 100000
sleep 2
taskstates x-b; taskstates x-c
q docker service scale -d x-c=0
settled x-c 0
q docker service scale -d x-a=0
replicas x-b 1/1
q docker service scale -d x-c=2
sleep 1
taskstates x-c
q docker service update -d --reserve-cpu .1 x-b
replicas x-c 1/2
until_ 20 "docker service ps x-c --no-trunc --format '{{.Error}}' | grep -q host-mode" "other reason"
taskstates x-c | sort -t'|' -k4
q docker service update -d --publish-rm target=80,mode=host x-c
replicas x-c 2/2
q docker service create -d --name x-m --reserve-memory 100g --limit-memory 200g $IMG sleep 100000
q docker service create -d --name x-n --reserve-memory 100g --constraint node.labels.x.q==1 $IMG sleep 100000
q docker service create -d --name x-o --constraint node.labels.x.q==1 $IMG sleep 100000
sleep 1
for s in m n o; do taskstates x-$s; done
q docker node update --label-add x.q=1 $NODE
replicas x-o 1/1
until_ 20 "docker service ps x-n --no-trunc --format '{{.Error}}' | grep -q insufficient" "other reason"
taskstates x-n
q docker node update --availability pause $NODE
q docker service update -d --env-add A=1 x-o
q docker service scale -d x-c=3
until_ 20 "docker service ps x-n --no-trunc --format '{{.Error}}' | grep -q 'not available'" "other reason"
sleep 2
for s in m n o; do taskstates x-$s; done
taskstates x-c | sort | uniq -c
q docker node update --availability active $NODE
replicas x-c 3/3; replicas x-o 1/1
