# title: update sets every field of a spec, one after the other
# tags: service update inspect
q docker service create -d --name x-u --replicas 1 $IMG sleep 100000
run docker service update -d --entrypoint 'sh -c' --args 'sleep 10' --env-add A=1 x-u
insp x-u '{{json .Spec.TaskTemplate.ContainerSpec}}'
run docker service update -d --limit-cpu 1.5 --limit-memory 100m --limit-pids 10 --reserve-cpu .1 --reserve-memory 6m x-u
insp x-u '{{json .Spec.TaskTemplate.Resources}}'
run docker service update -d --limit-cpu 0 --limit-memory 0 --limit-pids 0 --reserve-cpu 0 --reserve-memory 0 x-u
insp x-u '{{json .Spec.TaskTemplate.Resources}}'
run docker service update -d --restart-condition none --restart-delay 2s --restart-max-attempts 4 --restart-window 9s x-u
insp x-u '{{json .Spec.TaskTemplate.RestartPolicy}}'
run docker service update -d --update-parallelism 3 --update-delay 1s --update-monitor 2s --update-failure-action continue --update-max-failure-ratio .25 --update-order start-first x-u
run docker service update -d --rollback-parallelism 4 --rollback-delay 2s --rollback-monitor 3s --rollback-failure-action continue --rollback-max-failure-ratio .5 --rollback-order start-first x-u
insp x-u '{{json .Spec.UpdateConfig}} {{json .Spec.RollbackConfig}}'
run docker service update -d --health-cmd 'exit 0' --health-interval 3s --health-timeout 2s --health-retries 2 --health-start-period 1s x-u
insp x-u '{{json .Spec.TaskTemplate.ContainerSpec.Healthcheck}}'
run docker service update -d --no-healthcheck x-u
insp x-u '{{json .Spec.TaskTemplate.ContainerSpec.Healthcheck}}'
run docker service update -d --log-driver json-file --log-opt max-size=1m --log-opt max-file=3 x-u
insp x-u '{{json .Spec.TaskTemplate.LogDriver}}'
run docker service update -d --dns-add 1.1.1.1 --dns-search-add a.b --dns-option-add ndots:1 --host-add a:1.2.3.4 --host-add b:::1 x-u
insp x-u '{{json .Spec.TaskTemplate.ContainerSpec.DNSConfig}} {{json .Spec.TaskTemplate.ContainerSpec.Hosts}}'
run docker service update -d --cap-add ALL --cap-drop NET_RAW --ulimit-add nofile=10:20 --ulimit-add nproc=5 --sysctl-add a.b=1 x-u
run docker service update -d --ulimit-rm nproc --sysctl-rm a.b --ulimit-add nofile=30 x-u
insp x-u '{{json .Spec.TaskTemplate.ContainerSpec}}'
run docker service update -d --cap-add NET_RAW --cap-drop ALL x-u
insp x-u '{{json .Spec.TaskTemplate.ContainerSpec.CapabilityAdd}} {{json .Spec.TaskTemplate.ContainerSpec.CapabilityDrop}}'
run docker service update -d --group-add 1 --group-add 2 --user nobody --init=false --read-only=false --tty=false --stop-signal '' --hostname '' x-u
insp x-u '{{json .Spec.TaskTemplate.ContainerSpec}}'
run docker service update -d --placement-pref-add spread=node.labels.a --placement-pref-add spread=node.labels.b --constraint-add node.role==manager --constraint-add node.hostname!=z --replicas-max-per-node 3 x-u
insp x-u '{{json .Spec.TaskTemplate.Placement}}'
run docker service update -d --placement-pref-rm spread=node.labels.a --constraint-rm node.hostname!=z x-u
insp x-u '{{json .Spec.TaskTemplate.Placement}}'
run docker service update -d --mount-add type=bind,src=/tmp,dst=/t,readonly,bind-propagation=rslave --mount-add type=volume,src=x-v,dst=/v,volume-nocopy,volume-label=a=b,volume-opt=c=d --mount-add type=tmpfs,dst=/m,tmpfs-size=1m,tmpfs-mode=755 x-u
insp x-u '{{json .Spec.TaskTemplate.ContainerSpec.Mounts}}'
run docker service update -d --endpoint-mode dnsrr x-u
insp x-u '{{json .Spec.EndpointSpec}} {{json .Endpoint}}'
# The CLI gives several in any order.
run docker service update -d --generic-resource-add gpu=2 x-u
insp x-u '{{json .Spec.TaskTemplate.Resources}}'
run docker service update -d --generic-resource-rm gpu x-u
insp x-u '{{json .Spec.TaskTemplate.Resources}}'
run docker service inspect --pretty x-u
