# title: images that say how they want to be run: entrypoint, user, health, volumes, ports, stop signal, labels
# tags: image container
# timeout: 200
q bash -c "docker create --name x-made $IMG true && docker export x-made > root.tar && docker rm x-made"
q bash -c 'docker import -c "ENTRYPOINT [\"sh\",\"-c\"]" -c "CMD [\"sleep 100000\"]" -c "ENV A=image B=image" -c "USER 5:6" -c "WORKDIR /tmp" -c "EXPOSE 80/tcp 81/udp" -c "VOLUME /vol" -c "LABEL il=1" -c "HEALTHCHECK --interval=500ms --timeout=1s CMD true" root.tar x-image:1'
q docker service create -d --name x-i --stop-grace-period 0s x-image:1
replicas x-i 1/1
insp x-i '{{json .Spec.TaskTemplate.ContainerSpec}}'
c() { docker ps -q --filter name=x-$1.1; }
sh_ "docker inspect $(c i) -f '{{json .Config.Entrypoint}} {{json .Config.Cmd}} {{json .Config.Env}} {{.Config.User}} {{.Config.WorkingDir}} {{json .Config.ExposedPorts}} {{json .Config.Volumes}} {{.Config.StopSignal}} {{json .Config.Healthcheck}} {{.State.Health.Status}}' | sed 's/\"NODE_[^\"]*\"//'"
sh_ "docker inspect $(c i) -f '{{range \$k, \$v := .Config.Labels}}{{\$k}} {{end}} {{range .Mounts}}{{.Type}} {{.Destination}} {{.Driver}} {{.RW}}{{end}} {{json .NetworkSettings.Ports}}'"
run docker exec $(c i) id
q docker service create -d --name x-o --stop-grace-period 0s --entrypoint 'sleep' --user 0 --env A=mine --workdir / --stop-signal SIGTERM --no-healthcheck --mount type=volume,src=x-vol,dst=/vol --label il=2 --container-label il=3 x-image:1 100000
replicas x-o 1/1
sh_ "docker inspect $(c o) -f '{{json .Config.Entrypoint}} {{json .Config.Cmd}} {{json .Config.Env}} {{.Config.User}} {{.Config.WorkingDir}} {{.Config.StopSignal}} {{json .Config.Healthcheck}} {{.Config.Labels.il}} {{range .Mounts}}{{.Name}} {{.Destination}}{{end}}'"
q docker service create -d --name x-args --stop-grace-period 0s x-image:1 'echo $A $B $(pwd); sleep 100000'
replicas x-args 1/1
run docker service logs --raw x-args
q docker service create -d --name x-hi --stop-grace-period 0s --health-interval 1s --health-retries 7 x-image:1
replicas x-hi 1/1
sh_ "docker inspect $(c hi) -f '{{json .Config.Healthcheck}}'"
q docker service update -d --args 'false' x-args
ustate x-args paused
q docker service update -d --image $IMG --entrypoint '' --args 'sleep 100000' x-o
ustate x-o completed; settled x-o 1
sh_ "docker inspect $(c o) -f '{{json .Config.Entrypoint}} {{json .Config.Cmd}}'"
sh_ "docker rmi x-image:1 2>&1 | cut -c1-90"
q docker service rm x-i x-o x-args x-hi
until_ 20 '[ -z "$(docker ps -aq --filter name=x-)" ]' "containers are gone"
sh_ "docker rmi -f x-image:1 | sed s,sha256:.*,X,"
q docker service create -d --name x-n --stop-grace-period 0s --restart-max-attempts 1 --restart-delay 100ms x-image:1
until_ 20 "[ \$(docker service ps x-n --format '{{.CurrentState}}' | grep -c Rejected) = 2 ]" "twice rejected"
taskstates x-n
