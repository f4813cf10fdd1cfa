# title: overlay networks as objects
# tags: network
run docker network create -d overlay --subnet 10.77.1.0/24 --gateway 10.77.1.254 --label a=b --opt com.docker.network.driver.mtu=1400 x-a
run docker network create -d overlay --attachable --internal --subnet 10.77.2.0/24 --ip-range 10.77.2.128/25 x-b
run docker network create -d overlay --subnet bogus x-d
run docker network create -d overlay --subnet 10.77.3.0/24 --gateway 10.99.0.1 x-e
run docker network create -d nosuchdriver --scope swarm x-f
run docker network create --scope swarm --ingress -d overlay x-g
run docker network create -d overlay --opt encrypted --subnet 10.77.4.0/24 x-h
run docker network create -d overlay --ipam-driver bogus x-i
run docker network create -d overlay 'x bad'
run docker network inspect x-a --format '{{.Name}} {{.Scope}} {{.Driver}} {{json .IPAM}} {{.Internal}} {{.Attachable}} {{.Ingress}} {{.ConfigOnly}} {{json .Labels}}'
run docker network inspect x-b --format '{{json .IPAM}} {{.Internal}} {{.Attachable}}'
sh_ "docker network inspect x-h --format '{{json .Options}}' | sed -E 's/\"[0-9]{4,}\"/\"VNI\"/'"
sh_ "docker network ls --filter scope=swarm --format '{{.Name}} {{.Driver}} {{.Scope}}' | sort"
sh_ "docker network ls --filter driver=overlay --filter scope=swarm --format '{{.Name}}' | sort"
sh_ "docker network ls --filter label=a --format '{{.Name}}' | sort"
sh_ "docker network ls --filter type=builtin --format '{{.Name}}' | sort"
run docker network inspect nosuch
run docker network rm nosuch
run docker network rm x-a x-b x-h
run docker network inspect x-a
run docker network inspect ingress --format '{{.Name}} {{.Scope}} {{.Driver}} {{.Ingress}} {{.Attachable}} {{.Internal}}'
