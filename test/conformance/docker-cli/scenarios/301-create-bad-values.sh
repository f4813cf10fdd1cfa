# title: values the manager refuses at create
# tags: service error
run docker service create -d --name 'x bad' $IMG sleep 1
run docker service create -d --name x-_ $IMG sleep 1
run docker service create -d --name x--a $IMG sleep 1
run docker service create -d --name x-aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa $IMG sleep 1
run docker service create -d --name x-c1 --replicas -1 $IMG sleep 1
run docker service create -d --name x-c2 --mode bogus $IMG sleep 1
run docker service create -d --name x-c3 --mode global --replicas 2 $IMG sleep 1
run docker service create -d --name x-c4 --limit-cpu 0.0000001 $IMG sleep 1
run docker service create -d --name x-c5 --limit-memory 1m $IMG sleep 1
run docker service create -d --name x-c6 --reserve-memory 1m $IMG sleep 1
run docker service create -d --name x-c7 --restart-condition bogus $IMG sleep 1
run docker service create -d --name x-c8 --restart-delay -1s $IMG sleep 1
run docker service create -d --name x-c9 --update-parallelism -1 $IMG sleep 1
run docker service create -d --name x-c10 --update-failure-action bogus $IMG sleep 1
run docker service create -d --name x-c11 --update-max-failure-ratio 2 $IMG sleep 1
run docker service create -d --name x-c12 --update-order bogus $IMG sleep 1
run docker service create -d --name x-c13 --update-delay -1s $IMG sleep 1
run docker service create -d --name x-c14 --endpoint-mode bogus $IMG sleep 1
run docker service create -d --name x-c15 --rollback-failure-action rollback $IMG sleep 1
run docker service create -d --name x-c16 --update-monitor -1s $IMG sleep 1
run docker service create -d --name x-c17 '' sleep 1
run docker service create -d --name x-c18 'UPPER/Case' sleep 1
run docker service create -d --name x-c20 --replicas-max-per-node 0 $IMG sleep 1
run docker service create -d --name x-c21 --isolation bogus $IMG sleep 1
run docker service create -d --name x-c22 --health-interval -1s $IMG sleep 1
run docker service create -d --name x-c23 --health-interval 100us $IMG sleep 1
run docker service create -d --name x-c24 --limit-pids -2 $IMG sleep 1
run docker service create -d --name x-c25 --generic-resource a=b=c $IMG sleep 1
run docker service create -d --name x-c26 --placement-pref bogus=node.labels.x $IMG sleep 1
run docker service create -d --name x-c27 --placement-pref spread= $IMG sleep 1
run docker service create -d --name x-c28 --ulimit bogus=1 $IMG sleep 1
run docker service create -d --name x-c29 --sysctl a $IMG sleep 1
run docker service create -d --name x-c30 --network nosuch $IMG sleep 1
run docker service create -d --name x-c31 --network host $IMG sleep 100000
run docker service create -d --name x-c32 --secret nosuch $IMG sleep 1
run docker service create -d --name x-c33 --config nosuch $IMG sleep 1
run docker service create -d --name x-c34 --log-driver nosuch $IMG sleep 1
run docker service create -d --name x-c35 --credential-spec bogus $IMG sleep 1
run docker service create -d --name x-c36 --hostname 'bad host' $IMG sleep 1
run docker service create -d --name x-c37 --stop-signal BOGUS $IMG sleep 1
