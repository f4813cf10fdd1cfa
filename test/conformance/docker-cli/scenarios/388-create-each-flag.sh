# title: each flag of create by itself: the spec and the endpoint it leads to
# tags: service inspect
# timeout: 240
q docker network create -d overlay --subnet 10.77.120.0/24 x-net
echo c >file; q docker secret create x-sec file; q docker config create x-con file
printf 'A=1\nB\n' >envs
n=0
spec() {
  docker service inspect "$1" --format '{{json .Spec}} {{json .Endpoint.Spec}} {{range .Endpoint.Ports}}{{json .}}{{end}} {{json .PreviousSpec}} {{json .UpdateStatus}} {{json .JobStatus}}' |
    sed -E 's/"(Created|Updated)At":"[^"]*"//g'
}
# each FLAG...: creates a service with them, and shows what it became
each() {
  n=$((n + 1))
  echo "-- $*"
  docker service create -d --name x-$n "$@" $IMG sleep 100000 >said 2>&1 </dev/null || { cat said; return; }
  grep -v -x '[a-z0-9]\{25\}' said
  # The endpoint is filled in after the answer.
  sleep 0.1
  spec x-$n
  docker service rm x-$n >/dev/null
}
none() { each --replicas 0 "$@"; }
none
none --cap-add NET_ADMIN --cap-add net_raw
none --cap-drop ALL --cap-add CAP_CHOWN
none --config x-con
none --config source=x-con,target=/a,uid=1,gid=2,mode=0400
none --config source=x-con,target=/a --config source=x-con,target=/a
none --config nosuch
none --constraint node.role==manager --constraint 'node.labels.a != b'
none --constraint 'node.platform.os == linux' --constraint 'engine.labels.a==b'
none --constraint 'node.ip==10.0.0.0/8'
none --container-label a=b --container-label c
none --credential-spec file://f
none --credential-spec registry://r
none --credential-spec config://x-con
none --credential-spec bogus
none --dns 1.1.1.1 --dns ::1 --dns-option ndots:2 --dns-search a.b --dns-search .
none --endpoint-mode dnsrr
none --endpoint-mode vip
none --endpoint-mode bogus
none --entrypoint 'sh -c "a b"'
none --entrypoint ''
none --env A=1 --env B= --env LC_ALL
none --env-file envs --env A=2
none --generic-resource gpu=2
none --generic-resource gpu=a
none --generic-resource gpu
none --group 1 --group wheel
none --health-cmd 'a b' --health-interval 1m --health-retries 2 --health-start-period 3s --health-timeout 4s
none --health-cmd a --health-interval 100us
none --health-retries -1
none --health-start-interval 1s --health-cmd a
none --no-healthcheck
none --host a:1.2.3.4 --host b:::1
none --host a:bogus
none --hostname '{{.Service.Name}}'
none --hostname 'a b'
none --init
none --init=false
none --isolation process
none --isolation hyperv
none --isolation bogus
none --label a=b --label c --label d=
none --limit-cpu .5 --limit-memory 5m --limit-pids 7
none --limit-cpu 0.0001
none --limit-memory 3m
none --limit-pids -1
none --reserve-cpu .1 --reserve-memory 64m
none --reserve-memory 1
none --log-driver none
none --log-driver nosuch --log-opt a=b
none --log-opt max-size=1k
none --mode replicated
each --mode global
each --mode global --replicas 2
each --mode replicated-job --replicas 0
each --mode replicated-job --replicas 0 --max-concurrent 2
each --mode replicated-job --max-concurrent 2 --constraint node.labels.none==1
each --mode global-job --constraint node.labels.none==1
each --mode replicated-job --restart-condition any --constraint node.labels.none==1
each --mode replicated-job --restart-condition on-failure --restart-max-attempts 2 --constraint node.labels.none==1
each --mode global-job --publish 18450:80 --constraint node.labels.none==1
each --mode bogus
none --mount type=bind,src=/a,dst=/b
none --mount type=bind,src=/a,dst=/b,ro,bind-propagation=shared,bind-nonrecursive=true
none --mount type=bind,src=a,dst=/b
none --mount type=bind,src=/a,dst=b
none --mount type=bind,dst=/b
none --mount type=bind,src=/a,dst=/b,bind-propagation=bogus
none --mount type=volume,dst=/b
none --mount type=volume,src=x-v,dst=/b,volume-driver=d,volume-opt=a=b,volume-opt=c=d,volume-label=l=m,volume-nocopy=true
none --mount type=volume,src=a/b,dst=/b
none --mount src=x-v,dst=/b,volume-subpath=a
none --mount type=tmpfs,dst=/b,tmpfs-size=10k,tmpfs-mode=1777
none --mount type=tmpfs,src=a,dst=/b
none --mount type=tmpfs,dst=/
none --mount type=npipe,src=a,dst=/b
none --mount type=cluster,src=a,dst=/b
none --mount type=bogus,src=a,dst=/b
none --mount type=volume,src=a,dst=/b --mount type=tmpfs,dst=/b
none --network x-net
none --network name=x-net,alias=a,alias=b,driver-opt=k=v
none --network host
none --network bridge
none --network none
none --network nosuch
none --no-resolve-image
none --oom-score-adj 5
none --placement-pref spread=node.labels.a --placement-pref spread=engine.labels.b
none --placement-pref spread=
none --placement-pref binpack=node.labels.a
none --placement-pref spread=bogus
none --publish 18451:80
none --publish 80
none --publish published=18452,target=80,mode=host,protocol=udp
none --publish 18456:80/sctp
none --publish 127.0.0.1:18457:80
none --publish target=80,published=18458 --publish target=80,published=18459
none --publish published=18460,target=80 --publish published=18460,target=81
none --publish published=18460,target=80 --publish published=18460,target=80,protocol=udp
none --publish published=18461,target=80 --publish published=18461,target=80,mode=host
none --publish 18462:0
none --publish published=70000,target=80
none --publish 18463:80/bogus
none --read-only
none --replicas-max-per-node 3
none --restart-condition none
none --restart-condition on-failure --restart-delay 0s --restart-max-attempts 0 --restart-window 0s
none --restart-delay -1s
none --restart-window -1s
none --restart-condition bogus
none --rollback-delay 1ms --rollback-failure-action continue --rollback-max-failure-ratio 1 --rollback-monitor 1us --rollback-order start-first --rollback-parallelism 0
none --rollback-failure-action rollback
none --rollback-parallelism 7
none --secret x-sec
none --secret source=x-sec,target=/a/b,uid=3,gid=4,mode=0777
none --secret source=x-sec,target=a --secret source=x-sec,target=a
none --secret nosuch
none --stop-grace-period 0s
none --stop-grace-period 1h1m1s1ms
none --stop-signal SIGFOO
none --stop-signal 9
none --sysctl a=b --sysctl c
none --tty
none --ulimit nofile=1:2 --ulimit core=-1
none --ulimit bogus=1
none --update-delay 1ms --update-failure-action rollback --update-max-failure-ratio 1 --update-monitor 1us --update-order start-first --update-parallelism 0
none --update-failure-action bogus
none --update-order bogus
none --update-max-failure-ratio 1.1
none --update-parallelism 7
none --user 1:2 --workdir /w
none --user '' --workdir rel
none --with-registry-auth
