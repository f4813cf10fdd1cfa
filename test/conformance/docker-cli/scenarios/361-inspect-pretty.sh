# title: inspect --pretty of services of all kinds
# tags: inspect pretty
q bash -c 'printf v | docker secret create x-s -'; q bash -c 'printf v | docker config create x-c -'
q docker network create -d overlay --subnet 10.77.90.0/24 x-n
q docker service create -d --name x-full --replicas 1 --label a=1 --label b --env E=1 --env F=2 --workdir /tmp --user 0 --mount type=tmpfs,dst=/t --mount type=volume,src=x-v,dst=/v --mount type=bind,src=/tmp,dst=/h,ro --secret x-s --config x-c --network x-n --publish 18440:80 --publish published=18441,target=81,mode=host,protocol=udp --constraint node.role==manager --placement-pref spread=node.labels.z --replicas-max-per-node 4 --limit-cpu 0.5 --limit-memory 50m --limit-pids 7 --reserve-cpu 0.1 --reserve-memory 8m --generic-resource gpu=0 --restart-condition on-failure --restart-delay 3s --restart-max-attempts 5 --restart-window 1m --update-delay 1m --rollback-order start-first --health-cmd 'true' --health-interval 2s --health-retries 1 --cap-add NET_ADMIN --cap-drop CHOWN --ulimit nofile=5:6 --sysctl net.ipv4.ip_forward=1 --init --log-driver json-file --log-opt a=b --hostname hh --dns 1.1.1.1 --host q:1.1.1.1 --container-label cl=2 --stop-signal SIGHUP --endpoint-mode vip $IMG sh -c 'sleep 1000'
run docker service inspect --pretty x-full
q docker service create -d --name x-min $IMG
run docker service inspect --pretty x-min
q docker service create -d --name x-g --mode global --entrypoint sleep $IMG 100000
run docker service inspect --pretty x-g
q docker service create -d --name x-j --mode replicated-job --replicas 3 $IMG true
run docker service inspect --pretty x-j
q docker service create -d --name x-gj --mode global-job $IMG true
run docker service inspect --pretty x-gj
q docker service create -d --name x-no --no-healthcheck --read-only --tty --restart-condition none --endpoint-mode dnsrr $IMG sleep 100000
run docker service inspect --pretty x-no
replicas x-no 1/1
q docker service update -d --force --update-monitor 300ms x-no
ustate x-no completed
run docker service inspect --pretty x-no
run docker service inspect x-min x-g --format '{{.Spec.Name}}'
run docker service inspect --pretty x-nosuch
run docker service inspect
run docker service inspect x-min --format '{{.Nosuch}}'
run docker service inspect x-min
