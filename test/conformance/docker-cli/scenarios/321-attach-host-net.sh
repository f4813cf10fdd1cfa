# title: services on host, bridge and none networks
# tags: network
run docker service create -d --name x-h --network host $IMG sleep 100000
replicas x-h 1/1
sh_ "docker inspect \$(docker ps -q --filter name=x-h) --format '{{.HostConfig.NetworkMode}} {{range \$k,\$v := .NetworkSettings.Networks}}{{\$k}}{{end}}'"
run docker service create -d --name x-b --network bridge $IMG sleep 100000
replicas x-b 1/1
run docker service create -d --name x-n --network none $IMG sleep 100000
run docker service create -d --name x-i --network ingress $IMG sleep 1
run docker service create -d --name x-j --network host --publish 18350:80 $IMG sleep 1
run docker service create -d --name x-k --network host --endpoint-mode vip $IMG sleep 100000
