# title: removal: several, by id and prefix, what stays, what a client sees meanwhile
# tags: service
for i in 1 2 3; do q docker service create -d --name x-$i --stop-grace-period 1s $IMG sleep 100000; done
replicas x-1 1/1; replicas x-2 1/1
I=$(docker service inspect x-1 -f '{{.ID}}')
sh_ "docker service rm ${I:0:12} | wc -c"
run docker service rm x-1 x-2
run docker service rm x-2
run docker service rm
run docker service ps x-2
run docker service inspect x-2
until_ 20 "[ -z \"\$(docker ps -aq --filter name=x-2)\" ]" "container removed"
run docker service remove x-3
run docker service create -d --name x-3 -q $IMG sleep 100000
