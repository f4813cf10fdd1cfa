# title: an update goes on as long as few enough tasks fail
# tags: update failure
q docker service create -d --name x-u --replicas 4 --update-monitor 1s --update-max-failure-ratio 0.5 --update-failure-action pause --restart-condition none --stop-grace-period 1s $IMG sh -c 'sleep 100000'
replicas x-u 4/4
q docker service update -d --env-add V=2 --args 'sh -c "case $(hostname) in *) sleep 100000;; esac"' x-u
ustate x-u completed
insp x-u '{{.UpdateStatus.State}} {{.UpdateStatus.Message}}'
q docker service update -d --update-max-failure-ratio 0 --args 'sh -c "exit 1"' x-u
ustate x-u paused
sh_ "docker service inspect -f '{{.UpdateStatus.State}}: {{.UpdateStatus.Message}}' x-u | sed -E 's/task [a-z0-9]{25}/task ID/'"
run docker service inspect --pretty --format '' x-u
q docker service rollback -d x-u
ustate x-u rollback_completed
settled x-u 4
