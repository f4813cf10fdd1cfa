# title: which updates replace tasks and which do not
# tags: update
# timeout: 180
q docker service create -d --name x-k --replicas 2 --update-parallelism 0 --update-monitor 200ms --stop-grace-period 1s --publish 18440:80 $IMG sleep 100000
replicas x-k 2/2
step() {
  local before after
  before=$(docker service ps -q --filter desired-state=running x-k | sort | tr '\n' ' ')
  docker service update -d "$@" x-k >/dev/null 2>&1 || echo "refused: $*"
  sleep .3
  until_ 20 "! docker service inspect x-k -f '{{if .UpdateStatus}}{{.UpdateStatus.State}}{{end}}' | grep -qx updating" "no update is open" >/dev/null
  settled x-k 2 >/dev/null
  after=$(docker service ps -q --filter desired-state=running x-k | sort | tr '\n' ' ')
  [ "$before" = "$after" ] && echo "kept     $*" || echo "replaced $*"
}
step --label-add a=1
step --container-label-add a=1
step --constraint-add node.role==manager
step --constraint-rm node.role==manager
step --placement-pref-add spread=node.labels.a
step --placement-pref-rm spread=node.labels.a
step --replicas-max-per-node 5
step --restart-condition on-failure
step --restart-max-attempts 3
step --stop-grace-period 2s
step --update-parallelism 2
step --update-order start-first
step --update-order stop-first
step --rollback-parallelism 2
step --publish-add published=18441,target=81
step --publish-rm 81
insp x-k '{{.Spec.TaskTemplate.ForceUpdate}} {{.UpdateStatus.State}} {{.UpdateStatus.Message}}'
