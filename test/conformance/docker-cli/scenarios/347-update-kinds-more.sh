# title: which updates replace tasks and which do not: what runs, its limits, files and names
# tags: update
# timeout: 180
q docker service create -d --name x-k --replicas 2 --update-parallelism 0 --update-monitor 200ms --stop-grace-period 1s --publish 18443:80 $IMG sleep 100000
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
step --replicas 2
step --env-add A=1
step --env-add A=1
step --env-rm nosuch
step --force
step --limit-memory 100M
step --reserve-memory 10M
step --log-opt max-size=1m
step --hostname h
step --host-add h:1.2.3.4
step --read-only
step --user 0
step --image $IMG
step --args 'sleep 90000'
step --no-healthcheck
step --isolation default
step --with-registry-auth
step --init
step --endpoint-mode vip
insp x-k '{{.Spec.TaskTemplate.ForceUpdate}} {{.UpdateStatus.State}} {{.UpdateStatus.Message}}'
