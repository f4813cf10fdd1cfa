# title: flags of create that are seldom used
# tags: service inspect
q docker service create -d --name x-1 --cap-add NET_ADMIN --cap-add CAP_SYS_TIME --cap-drop all --ulimit nofile=1024:2048 --ulimit core=0 --sysctl net.ipv4.ip_forward=1 --limit-pids 100 --init --isolation default --replicas-max-per-node 2 --generic-resource gpu=0 $IMG sleep 100000
insp x-1 '{{json .Spec.TaskTemplate}}'
q docker service create -d --name x-2 --entrypoint 'sh -c' --no-resolve-image --with-registry-auth --update-max-failure-ratio 0.3 --rollback-parallelism 0 --health-cmd true --health-retries 3 $IMG 'sleep 1000'
insp x-2 '{{json .Spec}}'
printf 'A=1\n# no\nB=2\n' > envs; printf 'l1=v\nl2\n' > labels
q docker service create -d --name x-3 --env-file envs --env A=3 --label l2=x --container-label c --group 1 --group nogroup $IMG sleep 100000
insp x-3 '{{json .Spec.Labels}} {{json .Spec.TaskTemplate.ContainerSpec}}'
run docker service create -d --name x-4a --env-file nosuch $IMG sleep 1
run docker service create -d --name x-4b --label '' $IMG sleep 1
run docker service create -d --name x-4c --label =v $IMG sleep 1
run docker service create -d --name x-4d --env '' $IMG sleep 1
run docker service create -d --name x-4e --ulimit nofile=20:10 $IMG sleep 1
run docker service create -d --name x-4f --cap-add BOGUS $IMG sleep 1
run docker service create -d --name x-4g --dns bogus $IMG sleep 1
run docker service create -d --name x-4h --dns-search '' $IMG sleep 1
run docker service create -d --name x-4i --host bad $IMG sleep 1
run docker service create -d --name x-4j --group '' $IMG sleep 1
run docker service create -d --name x-5 --memory 1m $IMG sleep 1
run docker service create -d --name x-5 --reserve-cpu bogus $IMG sleep 1
run docker service create -d --name x-5 --limit-memory bogus $IMG sleep 1
run docker service create -d --name x-5 --limit-cpu 1 --reserve-cpu 2 $IMG sleep 1
run docker service create -d --name x-6 --limit-memory 10m --reserve-memory 20m $IMG sleep 1
run docker service create -d --name x-7 --limit-cpu -1 $IMG sleep 1
run docker service create -d --name x-8 --no-healthcheck --health-cmd true $IMG sleep 1
run docker service create -d --name x-8 --health-interval 1s $IMG sleep 100000
run docker service create -d --name x-9a --update-max-failure-ratio -0.1 $IMG sleep 1
run docker service create -d --name x-9b --rollback-max-failure-ratio 1.5 $IMG sleep 1
run docker service create -d --name x-9c --rollback-monitor -1s $IMG sleep 1
run docker service create -d --name x-9d --rollback-order bogus $IMG sleep 1
run docker service create -d --name x-9e --mode replicated-job --max-concurrent 0 $IMG true
run docker service create -d --name x-10 --mode global --max-concurrent 2 $IMG true
run docker service create -d --name x-10 --mode global-job --replicas 2 $IMG true
run docker service create -d --name x-10 --mode replicated-job --update-parallelism 2 $IMG true
run docker service create -d --name x-10 --mode replicated-job --rollback-parallelism 2 $IMG true
run docker service create
run docker service create -d --name x-11 BAD:::name
