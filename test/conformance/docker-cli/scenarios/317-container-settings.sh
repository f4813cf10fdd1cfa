# title: what a container of a service is made with
# tags: container
q docker service create -d --name x-c --user 1:2 --workdir /tmp --env A=1 --hostname hh --host a:1.2.3.4 --dns 9.9.9.9 --dns-search ex.org --dns-option ndots:2 --cap-add NET_ADMIN --cap-drop CHOWN --init --read-only --tty --stop-signal SIGINT --stop-grace-period 3s --ulimit nofile=100:200 --limit-cpu 0.5 --limit-memory 64m --limit-pids 50 --reserve-memory 16m --mount type=tmpfs,dst=/t,tmpfs-size=1000000,tmpfs-mode=1770 --mount type=volume,src=x-vol,dst=/v,volume-label=a=b --mount type=bind,src=/tmp,dst=/b,ro --container-label k=v --group 5 --log-driver json-file --log-opt max-size=1m --health-cmd 'true' --health-interval 2s --health-timeout 3s --health-retries 4 --health-start-period 1s $IMG sleep 100000
replicas x-c 1/1
taskstates x-c
C=$(docker ps -q --filter name=x-c)
run docker inspect $C --format '{{.Config.User}} {{.Config.WorkingDir}} {{json .Config.Env}} {{.Config.Hostname}} {{.Config.Tty}} {{.Config.StopSignal}} {{json .Config.StopTimeout}} {{json .Config.Healthcheck}} {{json .Config.Cmd}} {{json .Config.Entrypoint}}'
run docker inspect $C --format '{{json .HostConfig.ExtraHosts}} {{json .HostConfig.Dns}} {{json .HostConfig.DnsSearch}} {{json .HostConfig.DnsOptions}} {{json .HostConfig.CapAdd}} {{json .HostConfig.CapDrop}} {{.HostConfig.Init}} {{.HostConfig.ReadonlyRootfs}} {{json .HostConfig.Ulimits}} {{json .HostConfig.Sysctls}} {{.HostConfig.NanoCpus}} {{.HostConfig.Memory}} {{.HostConfig.MemoryReservation}} {{.HostConfig.PidsLimit}} {{json .HostConfig.GroupAdd}} {{json .HostConfig.LogConfig}} {{json .HostConfig.RestartPolicy}} {{json .HostConfig.Binds}} {{json .HostConfig.Mounts}} {{json .HostConfig.Tmpfs}} {{.HostConfig.NetworkMode}} {{.HostConfig.AutoRemove}}'
run docker volume inspect x-vol --format '{{.Name}} {{.Driver}} {{json .Labels}}'
sh_ "docker inspect $C --format '{{json .Config.Labels}}' | tr ',' '\n' | sort"
