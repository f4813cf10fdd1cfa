# title: the engine's own commands on the same socket
# tags: container
q docker service create -d --name x-w --stop-grace-period 1s $IMG sh -c 'echo hello; sleep 100000'
replicas x-w 1/1
C=$(docker ps -q --filter label=com.docker.swarm.service.name=x-w)
run docker exec $C echo in
sh_ "echo piped | docker exec -i $C cat"
run docker exec $C sh -c 'exit 7'
run docker exec nosuch true
run docker exec -e A=1 -w /tmp -u 1:1 $C sh -c 'echo $A; pwd; busybox id -u'
run docker logs $C
sh_ "docker top $C -o comm | sort"
sh_ "docker inspect $C --format '{{.State.Status}} {{.State.Running}} {{.HostConfig.RestartPolicy.Name}} {{.Config.Image}}'"
run docker cp nosuch:/a .
q docker cp $C:/etc/passwd p
sh_ "wc -l < p"
sh_ "docker stats --no-stream --format '{{.Name}}' $C | sed -E 's/\.[a-z0-9]{25}/.TASK/'"
run docker run --rm --name x-own $IMG echo ran
run docker run --rm $IMG sh -c 'exit 3'
sh_ "echo text | docker run -i --rm $IMG cat"
q docker run -d --name x-bg $IMG sleep 100000
run docker rename x-bg x-bg2
run docker pause x-bg2
run docker unpause x-bg2
run docker stop -t 0 x-bg2
run docker start x-bg2
run docker wait nosuch
run docker rm x-bg2
run docker rm -f x-bg2
run docker diff nosuch
sh_ "docker images --format '{{.Repository}}:{{.Tag}}'"
run docker image inspect nosuch
run docker pull nosuch.invalid/x
run docker tag $IMG x-tag:1
run docker rmi x-tag:1
run docker volume create x-vol
run docker volume inspect nosuch
run docker volume rm x-vol
run docker network inspect bridge --format '{{.Name}} {{.Driver}} {{.Scope}}'
sh_ "docker network create x-br | wc -c"
run docker network create x-br
run docker network rm x-br
sh_ "docker kill $C | wc -l"
until_ 20 "[ \$(docker service ps -q x-w | wc -l) = 2 ]" "replaced"
replicas x-w 1/1
taskstates x-w
