# title: mounts of every type, and what a container sees of them
# tags: mount container
q docker service create -d --name x-m --mount type=volume,src=x-v1,dst=/v1,volume-label=a=b,volume-driver=local --mount type=volume,dst=/anon --mount type=tmpfs,dst=/t,tmpfs-size=65536,tmpfs-mode=0700 --mount type=bind,src=/tmp,dst=/b,ro --mount 'type=volume,src=x-{{.Task.Slot}},dst=/v2,readonly' $IMG sleep 100000
replicas x-m 1/1
insp x-m '{{json .Spec.TaskTemplate.ContainerSpec.Mounts}}'
C=$(docker ps -q --filter name=x-m)
sh_ "docker inspect $C --format '{{range .Mounts}}{{.Type}} {{.Destination}} {{.RW}} {{.Mode}} {{.Propagation}}
{{end}}' | sort"
sh_ "docker inspect $C --format '{{json .HostConfig.Mounts}} {{json .HostConfig.Binds}} {{json .HostConfig.Tmpfs}}'"
sh_ "docker exec $C sh -c 'touch /v1/a && echo v1; touch /v2/a 2>/dev/null || echo v2 read only; touch /b/a 2>/dev/null || echo b read only; busybox mount | grep \" /t \" | grep -o size=64k; busybox stat -c %a /t'"
sh_ "docker volume ls --filter name=x- --format '{{.Name}} {{.Driver}} {{.Labels}}' | sort"
run docker service create -d --name x-na --mount type=bind,src=relative,dst=/x $IMG sleep 1
run docker service create -d --name x-nb --mount type=bind,src=/tmp,dst=/x,bind-propagation=bogus $IMG sleep 1
run docker service create -d --name x-nc --mount type=volume,src=x-v,dst=/x,tmpfs-size=1m $IMG sleep 1
run docker service create -d --name x-nd --mount type=tmpfs,dst=/x,volume-nocopy $IMG sleep 1
run docker service create -d --name x-ne --mount type=bind,src=/tmp,dst=/x,volume-driver=local $IMG sleep 1
run docker service create -d --name x-nf --mount type=tmpfs,dst=/x,tmpfs-mode=bogus $IMG sleep 1
run docker service create -d --name x-ng --mount type=tmpfs,dst=/x,tmpfs-size=bogus $IMG sleep 1
run docker service create -d --name x-nh --mount type=npipe,src=a,dst=/x $IMG sleep 1
run docker service create -d --name x-ni --mount type=cluster,src=a,dst=/x $IMG sleep 1
run docker service create -d --name x-nj --mount type=volume,src=x-v,dst=/ $IMG sleep 1
run docker service create -d --name x-nk --mount type=volume,src='bad name',dst=/x $IMG sleep 1
run docker service create -d --name x-o --mount bogus=1 $IMG sleep 1
run docker service create -d --name x-o --mount dst $IMG sleep 1
run docker service create -d --name x-o --mount type=volume,dst=/x,readonly=maybe $IMG sleep 1
run docker service create -d --name x-o --mount type=volume,src=x-v,dst=/x $IMG sleep 100000
insp x-o '{{json .Spec.TaskTemplate.ContainerSpec.Mounts}}'
