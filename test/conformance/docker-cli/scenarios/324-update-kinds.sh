# title: which updates replace tasks and which do not
# tags: update
# timeout: 180
q docker service create -d --name x-k --replicas 2 --update-parallelism 0 --update-monitor 200ms --stop-grace-period 1s --publish 18440:80 $IMG sleep 100000
replicas x-k 2/2
updated x-k 2 --label-add a=1
updated x-k 2 --container-label-add a=1
updated x-k 2 --constraint-add node.role==manager
updated x-k 2 --constraint-rm node.role==manager
updated x-k 2 --placement-pref-add spread=node.labels.a
updated x-k 2 --placement-pref-rm spread=node.labels.a
updated x-k 2 --replicas-max-per-node 5
updated x-k 2 --restart-condition on-failure
updated x-k 2 --restart-max-attempts 3
updated x-k 2 --stop-grace-period 2s
updated x-k 2 --update-parallelism 2
updated x-k 2 --update-order start-first
updated x-k 2 --update-order stop-first
updated x-k 2 --rollback-parallelism 2
updated x-k 2 --publish-add published=18441,target=81
updated x-k 2 --publish-rm 81
insp x-k '{{.Spec.TaskTemplate.ForceUpdate}} {{.UpdateStatus.State}} {{.UpdateStatus.Message}}'
