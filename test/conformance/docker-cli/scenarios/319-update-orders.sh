# title: start-first, network and mount updates, label only changes restart nothing
# tags: update
q docker service create -d --name x-u --replicas 2 --update-order start-first --update-monitor 500ms --update-parallelism 0 --stop-grace-period 1s $IMG sleep 100000
replicas x-u 2/2
docker service ps -q --no-trunc x-u | sort > before
run docker service update -d --label-add a=b x-u
run docker service update -d --replicas 2 x-u
run docker service update -d --update-delay 2s x-u
run docker service update -d --rollback-monitor 1s x-u
sleep 3; docker service ps -q --no-trunc x-u | sort > after; sh_ "cmp before after && echo same"
insp x-u '{{json .UpdateStatus}}'
q docker service update -d --update-delay 0s --env-add X=1 x-u
ustate x-u completed
counts x-u
insp x-u '{{.UpdateStatus.State}} {{.UpdateStatus.Message}}'
run docker service update -d --constraint-add node.role==manager x-u
settled x-u 2
run docker service update -d --force x-u
settled x-u 2
insp x-u '{{.Spec.TaskTemplate.ForceUpdate}}'
