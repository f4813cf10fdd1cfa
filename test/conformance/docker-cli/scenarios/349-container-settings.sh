# title: what a container of a service really gets
# tags: container
q docker service create -d --name x-c --hostname 'h-{{.Service.Name}}-{{.Task.Slot}}' --user 65534:65534 --group 7 --group 8 --workdir /w/d --env A=1 --env B --env 'T={{.Task.Name}}' --host x:1.2.3.4 --host y:5.6.7.8 --dns 9.9.9.9 --dns-search ex.org --dns-option ndots:2 --ulimit nofile=100:200 --ulimit nproc=50 --cap-drop CHOWN --cap-add NET_ADMIN --sysctl net.ipv4.ip_unprivileged_port_start=7 --limit-pids 33 --limit-memory 64M --limit-cpu .5 --reserve-memory 16M --init --read-only --stop-signal SIGUSR1 --stop-grace-period 1s --tty --container-label cl=1 --label sl=1 --no-healthcheck --entrypoint 'sleep' $IMG 100000
replicas x-c 1/1
C=$(docker ps -q --filter name=x-c)
sh_ "docker exec $C sh -c 'hostname; id; pwd; cat /etc/hosts | grep -E \"x\$|y\$\"; grep -vE ^# /etc/resolv.conf; ulimit -n; ulimit -Hn; ulimit -u; cat /proc/sys/net/ipv4/ip_unprivileged_port_start; touch /x; env | sort | grep -vE ^PATH' | sed -E 's/[a-z0-9]{25}/ID/g'"
sh_ "docker exec $C sh -c 'grep -E \"^Cap(Bnd|Eff)\" /proc/1/status; cat /proc/1/cmdline | tr \"\\0\" \" \"; cat /sys/fs/cgroup/pids.max /sys/fs/cgroup/pids/pids.max 2>/dev/null'"
sh_ "docker inspect $C -f '{{json .Config.Labels}}' | tr ',' '\n' | sed -E 's/[a-z0-9]{25}/ID/g' | sort"
sh_ "docker inspect $C -f '{{.Config.Hostname}} {{.Config.User}} {{.Config.WorkingDir}} {{json .Config.Entrypoint}} {{json .Config.Cmd}} {{.Config.StopSignal}} {{.Config.Tty}} {{.Config.Image}}'"
sh_ "docker inspect $C -f '{{json .HostConfig.RestartPolicy}} {{.HostConfig.NanoCpus}} {{.HostConfig.CpuQuota}} {{.HostConfig.CpuPeriod}} {{.HostConfig.Memory}} {{.HostConfig.MemoryReservation}} {{.HostConfig.PidsLimit}} {{.HostConfig.Init}} {{.HostConfig.ReadonlyRootfs}} {{json .HostConfig.Ulimits}} {{json .HostConfig.Sysctls}} {{json .HostConfig.CapAdd}} {{json .HostConfig.CapDrop}} {{json .HostConfig.GroupAdd}} {{json .HostConfig.ExtraHosts}} {{json .HostConfig.Dns}} {{.HostConfig.IpcMode}} {{.HostConfig.NetworkMode}} {{.HostConfig.Isolation}} {{.HostConfig.ShmSize}} {{.HostConfig.AutoRemove}}'"
q docker service create -d --name x-d $IMG sleep 100000
replicas x-d 1/1
C=$(docker ps -q --filter name=x-d)
sh_ "docker exec $C sh -c 'id; pwd; env | sort | grep -vE ^HOSTNAME; cat /proc/1/cmdline | tr \"\\0\" \" \"; grep -E \"^Cap(Bnd|Eff)\" /proc/1/status'"
sh_ "docker exec $C hostname | sed -E 's/^[0-9a-f]{12}\$/SHORTID/'"
sh_ "docker ps --filter label=com.docker.swarm.service.name=x-d --format '{{.Image}} {{.Command}} {{.Names}} {{.Ports}} {{.Networks}} {{.Mounts}} {{.LocalVolumes}}' | sed -E 's/[a-z0-9]{25}/ID/g'"
sh_ "docker ps --filter is-task=true --format '{{.Names}}' | sed -E 's/[a-z0-9]{25}/ID/g' | sort"
sh_ "docker ps --filter is-task=false --format '{{.Names}}'"
q docker service create -d --name x-i --isolation default --env-file <(printf 'E1=a\n# c\nE2=b=c\nPATH\n') --env E1=over $IMG sleep 100000
insp x-i '{{json .Spec.TaskTemplate.ContainerSpec.Isolation}} {{range .Spec.TaskTemplate.ContainerSpec.Env}}{{printf "%.4s" .}} {{end}}'
