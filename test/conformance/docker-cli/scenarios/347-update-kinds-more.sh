# title: which updates replace tasks and which do not: what runs, its limits, files and names
# tags: update
# timeout: 180
q docker service create -d --name x-k --replicas 2 --update-parallelism 0 --update-monitor 200ms --stop-grace-period 1s --publish 18443:80 $IMG sleep 100000
replicas x-k 2/2
updated x-k 2 --replicas 2
updated x-k 2 --env-add A=1
updated x-k 2 --env-add A=1
updated x-k 2 --env-rm nosuch
updated x-k 2 --force
updated x-k 2 --limit-memory 100M
updated x-k 2 --reserve-memory 10M
updated x-k 2 --log-opt max-size=1m
updated x-k 2 --hostname h
updated x-k 2 --host-add h:1.2.3.4
updated x-k 2 --read-only
updated x-k 2 --user 0
updated x-k 2 --image $IMG
updated x-k 2 --args 'sleep 90000'
updated x-k 2 --no-healthcheck
updated x-k 2 --isolation default
updated x-k 2 --with-registry-auth
updated x-k 2 --init
updated x-k 2 --endpoint-mode vip
insp x-k '{{.Spec.TaskTemplate.ForceUpdate}} {{.UpdateStatus.State}} {{.UpdateStatus.Message}}'
