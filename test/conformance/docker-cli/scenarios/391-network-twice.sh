# title: a network that is named twice: in a service, by id and name, in updates, in a stack
# tags: network service
q docker network create -d overlay --attachable --subnet 10.77.123.0/24 x-t
ID=$(docker network inspect -f '{{.ID}}' x-t)
run docker service create -d --name x-a --network x-t --network x-t --stop-grace-period 1s $IMG sleep 100000
run docker service create -d --name x-b --network name=x-t,alias=one --network name=x-t,alias=two --endpoint-mode dnsrr --stop-grace-period 1s $IMG sleep 100000
run docker service create -d --name x-c --network x-t --network $ID --endpoint-mode dnsrr --stop-grace-period 1s $IMG sleep 100000
for s in x-a x-b x-c; do
  replicas $s 1/1
  insp $s '{{json .Spec.TaskTemplate.Networks}} {{len .Endpoint.VirtualIPs}}'
  docker inspect $(docker service ps -q $s) --format '{{len .NetworksAttachments}}{{range .NetworksAttachments}} {{len .Addresses}}{{end}}'
  docker inspect $(docker ps -q --filter name=$s) --format '{{len .NetworkSettings.Networks}}{{range .NetworkSettings.Networks}} {{.IPPrefixLen}}{{end}}'
done
C=$(docker ps -q --filter name=x-c)
for name in one two x-b tasks.x-b; do
  sh_ "docker exec $C nslookup $name 127.0.0.11 | grep -c 'Address.*10\.77\.123\.'"
done
sh_ "docker exec $C ping -c 1 -W 2 x-b | grep -c '1 packets received'"
run docker service update -d --network-add x-t x-a
run docker service update -d --network-rm x-t x-a
insp x-a '{{json .Spec.TaskTemplate.Networks}}'
