# title: each flag of update by itself: what it changes in the spec
# tags: service update inspect
# timeout: 240
q docker network create -d overlay --subnet 10.77.121.0/24 x-net
q docker network create -d overlay --subnet 10.77.122.0/24 x-net2
echo c >file
for i in x-f x-f2; do q docker secret create $i file; q docker config create $i file; done
q docker service create -d --name x-u --replicas 0 --env A=1 --label l=1 --container-label c=1 --config x-f --secret x-f --constraint node.role==manager --dns 1.1.1.1 --dns-option ndots:1 --dns-search a.b --group 1 --host h:1.1.1.1 --mount type=tmpfs,dst=/a --mount type=volume,src=x-v,dst=/v --network x-net --publish 18470:80 --publish published=18471,target=81,mode=host --placement-pref spread=node.labels.z --cap-add NET_ADMIN --cap-drop CHOWN --ulimit nofile=1:2 --sysctl a=b --generic-resource gpu=1 --health-cmd true --log-driver json-file --log-opt max-size=1m --limit-cpu 1 --reserve-memory 10m --restart-max-attempts 3 --update-parallelism 2 $IMG sleep 100000
sleep 0.2
spec() { docker service inspect x-u --format '{{json .Spec}}' | /usr/bin/python3 -m json.tool; }
spec >before
# each FLAG...: updates the service with them, and shows what that changed
each() {
  echo "-- $*"
  docker service update -d "$@" x-u >said 2>&1 </dev/null || cat said
  spec >after
  diff before after | grep '^[<>]'
  mv after before
}
each
each --force
each --args 'a "b c"'
each --args ''
each --entrypoint 'x y'
each --entrypoint ''
each --image busybox:other
each --image $IMG
each --env-add A=2
each --env-rm A --env-add A=4
each --env-rm nosuch --env-rm A
each --env-add C=3
each --label-add m=2 --label-rm l
each --label-rm m --label-add m=3
each --container-label-add d=2 --container-label-rm c
each --config-add source=x-f2,target=/z,mode=0400
each --config-rm x-f
each --config-add x-f --config-add x-f
each --config-rm x-f2 --config-add source=x-f2,target=/y
each --secret-add source=x-f2,target=z,uid=5
each --secret-rm x-f
each --secret-add x-f
each --secret-rm x-f2 --secret-add source=x-f2,target=y
each --constraint-add node.labels.a==b
each --constraint-add node.labels.a==b
each --constraint-rm node.role==manager --constraint-add node.role==worker
each --constraint-rm node.role==worker
each --dns-add 2.2.2.2 --dns-rm 1.1.1.1
each --dns-option-add rotate --dns-option-rm ndots:1
each --dns-search-add c.d --dns-search-rm a.b
each --dns-rm 2.2.2.2 --dns-option-rm rotate --dns-search-rm c.d
each --group-add 2 --group-rm 1
each --host-add i:2.2.2.2 --host-add i:3.3.3.3
each --host-rm i:2.2.2.2
each --host-rm h
each --hostname h2
each --hostname ''
each --user u:g --workdir /w
each --user '' --workdir ''
each --mount-add type=bind,src=/tmp,dst=/b,readonly
each --mount-add type=bind,src=/var,dst=/b
each --mount-rm /b --mount-rm /a
each --mount-rm /v --mount-add type=volume,src=x-w,dst=/v
each --network-rm x-net --network-add x-net2
each --network-rm x-net2 --network-add name=x-net,alias=q
each --network-add name=x-net,alias=r
each --network-rm x-net
each --network-add host
each --network-rm host
each --publish-add 18472:82
each --publish-add published=18470,target=90
each --publish-rm 80
each --publish-rm 82 --publish-rm 81
each --publish-rm 18472
each --publish-add 18473:83/udp --publish-add 18473:83/tcp
each --publish-rm 83/udp
each --endpoint-mode dnsrr
each --publish-rm 83 --endpoint-mode dnsrr
each --endpoint-mode vip
each --placement-pref-add spread=node.labels.y
each --placement-pref-rm spread=node.labels.z --placement-pref-add spread=node.labels.z
each --placement-pref-rm spread=node.labels.y
each --replicas-max-per-node 4
each --replicas-max-per-node 0
each --cap-add SYS_TIME --cap-add CHOWN
each --cap-drop SYS_TIME
each --cap-add ALL
each --cap-drop ALL
each --ulimit-add nofile=3:4 --ulimit-add core=5
each --ulimit-rm nofile
each --sysctl-add c=d --sysctl-add a=e
each --sysctl-rm a
each --generic-resource-add gpu=2
each --generic-resource-rm gpu
each --health-cmd false --health-interval 5s
each --health-retries 4 --health-timeout 3s --health-start-period 2s
each --no-healthcheck
each --no-healthcheck --health-retries 2
each --health-cmd ''
each --log-driver none
each --log-opt a=b
each --log-driver ''
each --limit-cpu 2 --limit-memory 1g --limit-pids 9
each --limit-cpu 0 --limit-memory 0 --limit-pids 0
each --reserve-cpu .2 --reserve-memory 0
each --reserve-cpu 0
each --restart-condition on-failure --restart-delay 1s
each --restart-max-attempts 0 --restart-window 2s
each --restart-condition any
each --update-delay 2s --update-order start-first --update-monitor 0s
each --update-parallelism 0 --update-failure-action rollback --update-max-failure-ratio .1
each --rollback-delay 2s --rollback-order start-first --rollback-monitor 1s
each --rollback-parallelism 0 --rollback-failure-action pause --rollback-max-failure-ratio 0
each --stop-grace-period 3s --stop-signal SIGINT
each --stop-grace-period 0s --stop-signal ''
each --init
each --init=false
each --read-only
each --read-only=false
each --tty
each --tty=false
each --isolation process
each --isolation ''
each --credential-spec file://f
each --credential-spec ''
each --no-resolve-image --image $IMG
each --with-registry-auth
each --rollback
each --rollback
each --replicas 0
each --max-concurrent 1
sh_ "docker service inspect x-u --format '{{json .UpdateStatus}}' | sed -E 's/\"(Started|Completed)At\":\"[^\"]*\",?//g'"
