# title: update: adding what is there, removing what is not, and conflicts between flags
# tags: service update error
q docker service create -d --name x-u --env A=1 --label l=1 --mount type=tmpfs,dst=/a --publish published=18402,target=80,mode=host --host h:1.1.1.1 --dns 1.1.1.1 --group 5 --constraint node.role==manager --placement-pref spread=node.labels.z $IMG sleep 100000
run docker service update -d --label-rm nosuch x-u
run docker service update -d --container-label-rm nosuch x-u
run docker service update -d --mount-rm /nosuch x-u
run docker service update -d --constraint-rm nosuch x-u
run docker service update -d --placement-pref-rm spread=node.labels.nosuch x-u
run docker service update -d --group-rm 9 x-u
run docker service update -d --dns-rm 9.9.9.9 x-u
run docker service update -d --host-rm nosuch:1.1.1.1 x-u
run docker service update -d --host-rm h x-u
run docker service update -d --secret-rm nosuch x-u
run docker service update -d --generic-resource-rm gpu x-u
run docker service update -d --generic-resource-add gpu=1 --generic-resource-rm gpu x-u
run docker service update -d --publish-rm 80/udp x-u
run docker service update -d --publish-rm bogus x-u
run docker service update -d --publish-add published=18402,target=80,mode=host x-u
run docker service update -d --mount-add type=tmpfs,dst=/a x-u
run docker service update -d --mount-add type=volume,dst=/a x-u
run docker service update -d --no-healthcheck --health-cmd true x-u
run docker service update -d --health-interval 1s x-u
run docker service update -d --detach=bogus x-u
run docker service update -d --restart-max-attempts -1 x-u
run docker service update -d --update-failure-action bogus x-u
run docker service update -d --update-order bogus x-u
run docker service update -d --rollback-order bogus x-u
run docker service update -d --restart-condition bogus x-u
run docker service update -d --stop-grace-period bogus x-u
run docker service update -d --isolation bogus x-u
run docker service update -d --replicas-max-per-node 2 x-u
run docker service update -d --max-concurrent 2 x-u
run docker service update -d --credential-spec config://nosuch x-u
run docker service update -d --config-add nosuch x-u
run docker service update -d --network-add x-nosuch x-u
run docker service update -d --log-driver none x-u
run docker service update -d --log-opt a=b x-u
run docker service update -d --entrypoint "a 'b" x-u
run docker service update -d --args 'a b "c d"' x-u
insp x-u '{{json .Spec.TaskTemplate.ContainerSpec}} {{json .Spec.TaskTemplate.LogDriver}} {{json .Spec.TaskTemplate.Placement}}'
run docker service update x-u extra
run docker service update
