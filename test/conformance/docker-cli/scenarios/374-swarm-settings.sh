# title: swarm update, join tokens and unlock keys, as clients and info show them
# tags: swarm
W=$(docker swarm join-token -q worker); M=$(docker swarm join-token -q manager)
sh_ "docker swarm join-token --rotate worker >/dev/null; echo \$?"
W2=$(docker swarm join-token -q worker); M2=$(docker swarm join-token -q manager)
[ "$W" != "$W2" ] && [ "$M" = "$M2" ] && echo "only the worker's changed"
[ "${W%-*}" = "${W2%-*}" ] && echo "the part of the root stayed"
sh_ "docker swarm join-token --rotate -q worker | wc -l"
run docker swarm update
run docker swarm update --task-history-limit 2
run docker swarm update --cert-expiry 720h
run docker swarm update --snapshot-interval 500 --max-snapshots 2
sh_ "docker info -f '{{.Swarm.Cluster.Spec.Orchestration.TaskHistoryRetentionLimit}} {{.Swarm.Cluster.Spec.CAConfig.NodeCertExpiry}} {{json .Swarm.Cluster.Spec.Raft}}'"
sh_ "docker info | sed -n '/^ Swarm/,/Node Address/p' | sed -E 's/(NodeID|ClusterID|Node Address|Is Manager|Managers|Nodes|Force Rotate): .*/\1/'"
q docker service create -d --name x-h --replicas 1 --update-monitor 100ms --stop-grace-period 1s $IMG sleep 100000
replicas x-h 1/1
for i in 1 2 3 4; do q docker service update -d --force x-h; ustate x-h completed; settled x-h 1; done
until_ 20 "[ \$(docker service ps -q x-h | wc -l) = 2 ]" "history of two"
run docker swarm update --task-history-limit 0
q docker service update -d --force x-h; ustate x-h completed; settled x-h 1
until_ 20 "[ \$(docker service ps -q x-h | wc -l) = 1 ]" "no history"
run docker swarm update --task-history-limit 5 --cert-expiry 2160h --snapshot-interval 10000 --max-snapshots 0 --dispatcher-heartbeat 5s
run docker swarm update --autolock
sh_ "docker swarm unlock-key -q | wc -c"
run docker swarm update --autolock=true --task-history-limit 5
run docker swarm update --autolock=false
run docker swarm unlock
run docker swarm update --bogus
run docker swarm join-token bogus
run docker swarm join-token -q --rotate bogus
sh_ "docker swarm ca --rotate --cert-expiry 1000h -q >/dev/null; echo \$?"
sh_ "docker info -f '{{.Swarm.Cluster.Spec.CAConfig.NodeCertExpiry}} {{.Swarm.Cluster.RootRotationInProgress}}'"
q docker swarm update --cert-expiry 2160h
