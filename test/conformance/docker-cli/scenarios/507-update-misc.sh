# title: updates with combinations of flags, refused ones change nothing
# tags: update
# timeout: 200
q docker network create -d overlay --subnet 10.77.140.0/24 x-n1
q docker network create -d overlay --subnet 10.77.141.0/24 x-n2
printf c > f; q docker config create x-c1 f; q docker config create x-c2 f; q docker secret create x-s1 f; q docker secret create x-s2 f
q docker service create -d --name x-a --replicas 0 --network x-n1 --config x-c1 --secret x-s1 --env A=1 --env B=2 --label a=1 --mount type=volume,src=x-v,dst=/v --mount type=tmpfs,dst=/t -p 18640:80 -p published=18641,target=81,mode=host --constraint node.role==manager --placement-pref spread=node.labels.a --host h:1.1.1.1 --dns 1.1.1.1 --group 1 --cap-add NET_ADMIN --cap-drop CHOWN --ulimit nofile=5 --sysctl a=b $IMG sleep 100000
u() { echo "-- $*"; docker service update -d "$@" x-a 2>&1 | grep -vx x-a; docker service inspect x-a -f '{{json .Spec}}' > now; diff <(tr ',' '\n' < before | sed -E 's/[a-z0-9]{25}/ID/') <(tr ',' '\n' < now | sed -E 's/[a-z0-9]{25}/ID/') | grep '^[<>]'; mv now before; }
docker service inspect x-a -f '{{json .Spec}}' > before
u
u --force
u --image $IMG
u --config-rm x-c1 --config-add source=x-c2,target=/x-c1
u --config-add x-c2
u --config-rm x-c2 --config-add source=x-c1,target=a --config-add source=x-c2,target=a
u --config-rm nosuch
u --secret-rm x-s1 --secret-add source=x-s2,target=x-s1,mode=0400
u --secret-add source=x-s1,target=x-s1
u --secret-rm x-s2 --secret-rm x-s1
u --secret-add nosuch
u --label-rm a --label-add b=2 --label-add c
u --container-label-add z=1 --container-label-rm z
u --mount-rm /v --mount-add type=volume,src=x-w,dst=/v
u --mount-add type=tmpfs,dst=/t,tmpfs-size=1m
u --mount-rm /t/ --mount-rm v
u --mount-add bogus
u --publish-rm 18640:80
u --publish-rm 80
u --publish-rm 81/udp
u --publish-rm 81
u --publish-add 18640:80 --publish-add 18640:80
u --publish-add 18642:80
u --publish-add published=18640,target=80,mode=host
u --publish-rm published=18640,target=80
u --publish-rm 18640
u --publish-add 18643-18645:90-92
u --constraint-rm node.role==manager --constraint-add 'node.role == manager'
u --constraint-rm nosuch
u --placement-pref-rm spread=node.labels.a --placement-pref-add spread=node.labels.b
u --placement-pref-rm spread=nosuch
u --placement-pref-add binpack=a
u --host-rm h --host-add h:2.2.2.2
u --host-rm h:2.2.2.2
u --host-add h
u --dns-rm 1.1.1.1 --dns-add 8.8.8.8 --dns-option-add a --dns-search-add b
u --dns-rm bogus
u --dns-option-rm a --dns-search-rm b
u --group-add 2 --group-rm 1
u --cap-drop NET_ADMIN
u --cap-add CHOWN --cap-add ALL
u --cap-drop ALL
u --ulimit-add nofile=6:7 --ulimit-rm core
u --ulimit-rm nofile
u --sysctl-add a=c --sysctl-rm b
u --sysctl-rm a
u --network-rm x-n2
u --network-rm x-n1
u --network-add name=x-n1,alias=z
u --network-add x-n1
u --network-add nosuch
u --endpoint-mode dnsrr
u --endpoint-mode vip
u --args '' --entrypoint ''
u --args "a 'b c' \"d e\""
u --args "a 'b"
u --entrypoint "a b"
u --hostname '' --workdir '' --user ''
u --hostname h --workdir /w --user u
u --isolation process
u --health-cmd a
u --no-healthcheck
u --no-healthcheck --health-cmd a
u --health-interval 1s
u --health-cmd ''
u --limit-cpu 0 --limit-memory 0 --limit-pids 0 --reserve-cpu 0 --reserve-memory 0
u --limit-cpu 1 --limit-memory 10m
u --limit-memory 0
u --reserve-memory 20m --limit-memory 10m
u --log-driver json-file
u --log-opt a=b
u --log-driver ''
u --max-concurrent 2
u --replicas 0 --replicas-max-per-node 0
u --replicas-max-per-node 2
u --replicas -1
u --replicas bogus
u --restart-condition none
u --restart-max-attempts 0
u --restart-delay 0
u --restart-window 5s
u --stop-grace-period 0s
u --stop-signal ''
u --tty --read-only --init
u --tty=false --read-only=false --init=false
u --update-delay 0s --update-parallelism 0
u --update-max-failure-ratio 2
u --rollback-max-failure-ratio .3
u --rollback-failure-action bogus
u --generic-resource-add gpu=1
u --generic-resource-add gpu=2
u --generic-resource-rm gpu
u --generic-resource-rm gpu
u --credential-spec config://x-c1
u --credential-spec ''
u --credential-spec file://a
u --with-registry-auth
u --no-resolve-image
