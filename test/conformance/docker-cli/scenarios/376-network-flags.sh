# title: every flag of network create, for networks of the swarm
# tags: network
run docker network create -d overlay --scope swarm --attachable --internal --subnet 10.77.100.0/24 --gateway 10.77.100.9 --ip-range 10.77.100.128/25 --label a=b --label c --opt x=y --ipam-driver default --ipam-opt o=p x-all
sh_ "docker network inspect x-all -f '{{.Scope}} {{.Attachable}} {{.Internal}} {{.EnableIPv6}} {{.Ingress}} {{.ConfigOnly}} {{json .IPAM}} {{json .Labels}} {{index .Options \"x\"}}'"
run docker network create -d overlay --ingress --subnet 10.77.101.0/24 x-ing
run docker network create -d overlay --scope local x-local
run docker network create -d overlay --config-only x-co
run docker network create -d overlay --ipam-driver nosuch x-ipam
run docker network create -d overlay --opt com.docker.network.driver.overlay.vxlanid_list=bogus x-vx
run docker network create -d overlay --subnet 10.77.103.0/24 --subnet 10.77.103.128/25 x-over
run docker network create -d overlay --subnet 10.77.104.0/30 x-tiny
sh_ "docker network inspect x-tiny -f '{{json .IPAM}}'"
run docker network create -d overlay --subnet bogus x-bad
run docker network create -d overlay --gateway bogus --subnet 10.77.105.0/24 x-bad
run docker network create -d overlay --subnet 10.77.105.0/24 --gateway 10.99.0.1 x-bad2
run docker network create -d overlay --label '' x-bad3
run docker network create -d overlay 'x bad'
run docker network create -d overlay x-$(printf 'a%.0s' {1..80})
run docker network create -d overlay ingress
run docker network create -d overlay bridge
run docker network create -d overlay host
run docker network create -d overlay none
run docker network create -d overlay default
run docker service create -d --name x-o --network x-over --network x-all $IMG sleep 100000
run docker service create -d --name x-q --network bridge $IMG sleep 100000
run docker service create -d --name x-r --network none $IMG sleep 100000
run docker service create -d --name x-s --network ingress $IMG sleep 100000
sh_ "docker network rm x-all 2>&1 | sed -E 's/service [a-z0-9]+/service ID/'"
q docker network rm x-co
