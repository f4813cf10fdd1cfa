# title: volumes and mounts of services over their life
# tags: mount container
# timeout: 200
q docker service create -d --name x-a --mount type=volume,src=x-v,dst=/v,volume-label=a=b --mount type=volume,dst=/anon --mount type=tmpfs,dst=/t,tmpfs-size=1m,tmpfs-mode=0700 --mount 'type=volume,src=x-{{.Task.Slot}}-{{.Service.Name}},dst=/w' --mount type=bind,src=/etc/hostname,dst=/hn,readonly --stop-grace-period 0s $IMG sh -c 'echo $HOSTNAME >> /v/log; sleep 100000'
replicas x-a 1/1
c() { docker ps -q --filter name=x-$1.1; }
sh_ "docker inspect $(c a) -f '{{range .Mounts}}{{.Type}} {{if eq (len .Name) 64}}anon{{else}}{{.Name}}{{end}} {{.Destination}} {{.Mode}} {{.RW}} {{.Propagation}}
{{end}}' | sort"
sh_ "docker exec $(c a) sh -c 'df -k /t | tail -1 | tr -s \" \" | cut -d\" \" -f1,2,6; stat -c %a /t; touch /hn 2>/dev/null || echo not written; ls -d /v /w /anon'"
sh_ "docker volume ls --filter name=x- --format '{{.Name}} {{.Driver}} {{.Labels}}' | sort"
sh_ "docker volume rm x-v 2>&1 | sed -E 's/\[[a-z0-9]{64}\]/[C]/'"
q docker service update -d --force x-a
ustate x-a completed; settled x-a 1
sh_ "docker exec $(c a) sh -c 'wc -l < /v/log'"
q docker service scale -d x-a=2
replicas x-a 2/2; sleep .3
sh_ "docker exec $(c a) sh -c 'wc -l < /v/log'"
sh_ "docker volume ls -q --filter name=x- | sort"
q docker service update -d --mount-rm /v --mount-add type=volume,src=x-v,dst=/v,readonly --args 'sleep 100000' x-a
ustate x-a completed; settled x-a 2
sh_ "docker exec $(c a) sh -c 'exec 2>&1; touch /v/x 2>/dev/null || echo not written; wc -l < /v/log'"
q docker service rm x-a
until_ 20 '[ -z "$(docker ps -aq --filter name=x-a)" ]' gone
sh_ "docker volume ls -q --filter name=x- | sort"
sh_ "docker volume ls -q --filter dangling=true --filter name=x- | sort"
q docker volume create --label pre=1 x-pre
q docker service create -d --name x-b --read-only --mount type=volume,src=x-pre,dst=/p,volume-label=post=1 --mount type=bind,src=/tmp,dst=/b $IMG sleep 100000
replicas x-b 1/1
sh_ "docker volume inspect x-pre -f '{{json .Labels}}'"
sh_ "docker exec $(c b) sh -c 'touch /a 2>/dev/null || echo not written; touch /p/a && echo written'"
sh_ "docker inspect $(c b) -f '{{json .HostConfig.Mounts}} {{json .HostConfig.Binds}} {{.HostConfig.ReadonlyRootfs}} {{json .HostConfig.Tmpfs}}'"
q docker service create -d --name x-c --restart-condition none --mount type=volume,src=x-o,dst=/o,volume-opt=type=tmpfs,volume-opt=device=tmpfs,volume-opt=o=size=1m $IMG sh -c 'df -k /o | tail -1 | tr -s " " | cut -d" " -f1,2,6; sleep 100000'
replicas x-c 1/1; sleep .5
run docker service logs --raw x-c
for m in type=volume,src=x-p1,dst=/a,volume-driver=nosuch type=bind,src=/nosuch/dir,dst=/a type=volume,src=x-p2,dst=/proc/bogus type=volume,src=x-p3,dst=/a,volume-opt=type=bogus,volume-opt=device=bogus; do q docker service create -d --name x-m --restart-condition none --mount $m $IMG sleep 100000; sleep 2; echo "-- $m"; taskstates x-m | sed -E "s#/tmp/[^ ]*/data/#DATA/#g"; docker service rm x-m >/dev/null; done
