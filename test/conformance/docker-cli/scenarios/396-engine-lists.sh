# title: the engine's lists tell containers of services from others
# tags: container
q docker run -d --name x-hand $IMG sleep 100000
q docker service create -d --name x-s --replicas 2 --container-label k=v $IMG sleep 100000
replicas x-s 2/2
sh_ "docker ps --filter is-task=true --filter name=x- --format '{{.Names}}' | sed -E 's/\.[a-z0-9]{25}$//' | sort"
sh_ "docker ps --filter is-task=false --filter name=x- --format '{{.Names}}'"
sh_ "docker ps -a --filter is-task=true --filter name=x- --filter label=k=v -q | wc -l"
run docker ps --filter is-task=bogus
sh_ "docker ps --filter is-task=true --filter is-task=false --filter name=x- -q | wc -l"
sh_ "docker ps --filter label=com.docker.swarm.service.name=x-s --format '{{.Image}} {{.Command}} {{.Ports}} {{.Networks}} {{.LocalVolumes}} {{.Mounts}}'"
sh_ "docker ps --filter volume=nosuch --filter is-task=true -q | wc -l"
sh_ "docker ps -n 1 --filter is-task=true -q | wc -l"
sh_ "docker ps -l --format '{{.Label \"com.docker.swarm.service.name\"}}'"
C=$(docker ps -q --filter name=x-s.1)
sh_ "docker rename $C x-renamed"
sh_ "docker ps --filter is-task=true --filter name=x-renamed -q | wc -l"
sh_ "docker update --memory 64m --memory-swap 64m $C | wc -l"
sh_ "docker inspect $C -f '{{.HostConfig.Memory}} {{.HostConfig.RestartPolicy.Name}} {{.HostConfig.AutoRemove}} {{.HostConfig.NetworkMode}} {{.HostConfig.LogConfig.Type}}'"
sh_ "docker update --restart always $C 2>&1 | sed 's/$C/C/'"
sh_ "docker commit $C x-committed | cut -c1-7"
sh_ "docker diff $C"
sh_ "docker wait --help | head -1; timeout 1 docker wait $C; echo \$?"
sh_ "docker container prune -f | grep -c ^Deleted"
sh_ "docker stop -t 0 x-hand; docker container prune -f | grep -c ^Deleted"
q docker image rm x-committed
