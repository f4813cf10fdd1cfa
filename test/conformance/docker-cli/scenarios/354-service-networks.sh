# title: services on networks: aliases, several networks, endpoint modes, attach and detach by update
# tags: network service
q docker network create -d overlay --subnet 10.77.80.0/24 x-n1
q docker network create -d overlay --subnet 10.77.81.0/24 x-n2
q docker service create -d --name x-w --network name=x-n1,alias=a1,alias=a2,driver-opt=k=v  --stop-grace-period 1s --update-monitor 300ms $IMG sleep 100000
replicas x-w 1/1
N1=$(docker network inspect x-n1 -f '{{.Id}}'); N2=$(docker network inspect x-n2 -f '{{.Id}}')
sh_ "docker service inspect x-w -f '{{json .Spec.TaskTemplate.Networks}} {{json .Endpoint}}' | sed 's/$N1/N1/g; s/$N2/N2/g'"
sh_ "docker inspect \$(docker service ps -q x-w) -f '{{range .NetworksAttachments}}{{.Network.Spec.Name}} {{.Addresses}} {{end}}'"
run docker service update -d --network-add x-n1 x-w
run docker service update -d --network-add x-n2 x-w
ustate x-w completed; settled x-w 1
run docker service update -d --network-rm x-n2 x-w
ustate x-w completed; settled x-w 1
sh_ "docker service inspect x-w -f '{{json .Spec.TaskTemplate.Networks}} {{json .Endpoint}}' | sed 's/$N1/N1/g; s/$N2/N2/g'"
run docker service update -d --network-rm x-n2 x-w
run docker service update -d --endpoint-mode dnsrr x-w
settled x-w 1
sh_ "docker service inspect x-w -f '{{json .Endpoint}}'"
run docker service update -d --endpoint-mode vip x-w
settled x-w 1
sh_ "docker service inspect x-w -f '{{json .Endpoint}}' | sed -E 's/$N1/N1/g; s/80\\.[0-9]+/80.X/'"
run docker service create -d --name x-v --network name=x-n1,bogus=1 $IMG sleep 1
run docker service create -d --name x-v --network alias=a $IMG sleep 1
run docker service create -d --name x-v --network x-n1 --network x-n1 $IMG sleep 100000
run docker service create -d --name x-u --network $N1 $IMG sleep 100000
ustate x-w completed
run docker service inspect --pretty x-w
sh_ "docker network rm x-n1 x-n2 2>&1 | sed -E 's/by service .*/by service ID/'"
