# title: networks: every verb, filters, prune, removal in use, attachable ones and containers
# tags: network
run docker network create -d overlay --attachable --subnet 10.77.70.0/24 --label a=1 x-att
run docker network create -d overlay --subnet 10.77.71.0/24 --label b=1 --opt com.docker.network.driver.overlay.vxlanid_list=5000 x-vni
run docker network create -d overlay --ipv6 --subnet fd00:77::/64 x-six
run docker network create -d overlay --subnet 10.77.72.0/24 --subnet 10.77.73.0/24 x-two
run docker network create -d overlay --subnet 10.77.74.0/33 x-bad
run docker network create -d overlay --gateway 10.77.74.1 x-bad
run docker network create -d overlay --ip-range 10.77.74.0/25 x-bad
run docker network create -d overlay --subnet 10.77.74.0/24 --ip-range 10.77.99.0/25 x-bad
run docker network create -d overlay --subnet 10.77.74.0/24 --aux-address a=10.99.0.1 x-bad
run docker network create -d overlay --scope bogus x-scope
run docker network create -d overlay --attachable --ingress x-bad
run docker network create -d bridge --attachable x-brat
run docker network create -d overlay x-att
run docker network create
run docker network ls --filter name=x-att --format '{{.Name}} {{.Driver}} {{.Scope}} {{.IPv6}} {{.Internal}} {{.Labels}}'
run docker network ls --filter label=a=1 --format '{{.Name}}'
run docker network ls --filter label=a=2 --format '{{.Name}}'
run docker network ls --filter id=$(docker network inspect x-att -f '{{.Id}}') --format '{{.Name}}'
run docker network ls --filter scope=bogus
run docker network ls --filter type=bogus
run docker network ls --filter bogus=1
run docker network ls --filter dangling=true --filter scope=swarm --format '{{.Name}}'
sh_ "docker network ls --filter type=custom --filter scope=swarm --format '{{.Name}}' | sort"
sh_ "docker network ls --filter name=x-att --format '{{json .}}' | sed -E 's/\"CreatedAt\":\"[^\"]*\"/CREATED/'"
sh_ "docker network inspect x-att | sed -E 's/\"[0-9]{4}\"/VNI/'"
run docker network inspect --verbose x-att --format '{{json .Services}} {{json .Peers}}'
run docker network inspect x-vni --format '{{json .Options}}'
run docker network inspect x-att nosuch --format '{{.Name}}'
run docker network inspect
q docker service create -d --name x-w --network x-att --endpoint-mode dnsrr $IMG sleep 100000
replicas x-w 1/1
run docker run --rm --network x-att $IMG echo attached
sh_ "docker network inspect x-att --format '{{range .Containers}}{{.Name}} {{end}}' | sed -E 's/x-att-endpoint//' | sed -E 's/\.[a-z0-9]{25}/.TASK/g'"
sh_ "docker network rm x-att 2>&1 | sed -E 's/by service .*/by service ID/'"
run docker network rm ingress x-nosuch </dev/null
run docker network connect x-vni nosuch
run docker network disconnect x-att nosuch
sh_ "docker network prune -f --filter label=b | sort"
run docker network rm -f x-nosuch
sh_ "docker network ls --filter driver=overlay --filter scope=swarm --format '{{.Name}}' | sort"
