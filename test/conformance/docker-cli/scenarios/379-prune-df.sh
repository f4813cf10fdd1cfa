# title: prune of every kind, system df and info beside services
# tags: container
# Volumes of earlier scenarios that no name tells.
docker volume ls -q | xargs -r docker volume rm >/dev/null 2>&1
q docker network create -d overlay --subnet 10.77.115.0/24 x-used
q docker network create -d overlay --subnet 10.77.116.0/24 x-idle
q docker service create -d --name x-p --network x-used --endpoint-mode dnsrr --mount type=volume,src=x-vol,dst=/v --stop-grace-period 1s --update-monitor 100ms $IMG sleep 100000
replicas x-p 1/1
q docker service update -d --force x-p; ustate x-p completed; settled x-p 1
sh_ "docker container prune -f --filter label=com.docker.swarm.service.name=x-p | grep -c '^[0-9a-f]\{64\}'"
sh_ "docker network prune -f"
sh_ "docker network ls --filter name=x- --format '{{.Name}} {{.Scope}}' | sort"
q docker volume create x-lone
sh_ "docker volume prune -af | grep x- | sort"
sh_ "docker volume ls --filter name=x- --format '{{.Name}}'"
sh_ "docker volume rm x-vol 2>&1 | sed -E 's/\[[0-9a-f]+\]/[HEX]/'"
run docker system prune -f --filter label=nosuch
sh_ "docker system df --format '{{.Type}} {{.TotalCount}} {{.Active}}'"
sh_ "docker system df | head -1"
sh_ "docker ps --filter volume=x-vol --format '{{.Names}}' | sed -E 's/[a-z0-9]{25}/ID/'"
sh_ "docker ps --filter network=x-used --format '{{.Names}}' | sed -E 's/[a-z0-9]{25}/ID/'"
sh_ "docker info -f '{{.Containers}} {{.ContainersRunning}} {{.Images}} {{.Driver}} {{.Swarm.LocalNodeState}} {{.Swarm.ControlAvailable}} {{.Swarm.Managers}} {{.Swarm.Nodes}}'"
sh_ "docker images --format '{{.Repository}}:{{.Tag}}'"
sh_ "docker rmi busybox:local 2>&1 | sed -E 's/[0-9a-f]{12}/HEX/g'"
run docker image inspect busybox:local -f '{{json .Config.Cmd}}'
run docker volume inspect x-vol -f '{{.Name}} {{.Driver}}'
run docker service inspect x-p -f '{{.Spec.Name}}'
sh_ "docker stats --no-stream --format '{{.Name}}' | sed -E 's/[a-z0-9]{25}/ID/' | sort"
C=$(docker ps -q --filter name=x-p)
sh_ "docker top $C | wc -l"
sh_ "docker exec -e A=1 -w /tmp $C sh -c 'echo \$A'"
sh_ "docker cp $C:/etc/passwd - | tar t"
sh_ "docker port $C; docker diff $C | head -2"
sh_ "docker update --cpus 1 $C >/dev/null; docker inspect $C -f '{{.HostConfig.NanoCpus}}'"
