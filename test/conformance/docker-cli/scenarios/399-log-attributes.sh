# title: logs and the log driver: none, options, attributes and details
# tags: logs
q docker service create -d --name x-n --log-driver none $IMG sh -c 'echo hi; sleep 100000'
q docker service create -d --name x-d --log-driver json-file --log-opt labels=a,com.docker.swarm.service.name --log-opt env=E,F --log-opt tag='{{.Name}}' --container-label a=1 --env E=2 $IMG sh -c 'echo hi; sleep 100000'
q docker service create -d --name x-l --log-driver local $IMG sh -c 'echo hi; sleep 100000'
q docker service create -d --name x-t -t $IMG sh -c 'echo hi; echo err >&2; sleep 100000'
q docker service create -d --name x-b --log-driver json-file --log-opt bogus=1 --restart-condition none $IMG sleep 100000
q docker service create -d --name x-s --log-driver syslog --restart-condition none --log-opt syslog-address=bogus $IMG sleep 100000
replicas x-n 1/1; replicas x-d 1/1; replicas x-l 1/1; replicas x-t 1/1
sleep 1
run docker service logs --raw x-n
run docker service logs x-n
run docker service logs --raw --details x-d
sh_ "docker service logs --details x-d | sed -E 's/x-d.1.[a-z0-9]{25}@[^ ]*/x-d.1.ID/; s/task.id=[a-z0-9]*/task.id=ID/; s/node.id=[a-z0-9]*/node.id=ID/'"
run docker service logs --raw x-l
sh_ "docker service logs --raw x-t | od -c | head"
run docker service logs x-t
T=$(docker service ps -q x-t | head -1)
sh_ "docker service logs --raw $T"
sh_ "docker service logs --raw --no-resolve $T"
sleep 1
taskstates x-b; taskstates x-s
run docker service logs x-b
run docker service logs --tail bogus --raw x-d
run docker service logs --tail -1 --raw x-d
run docker service logs --tail 0 --raw x-d
run docker service logs --since bogus --raw x-d
run docker service logs --since 1h --raw x-d
run docker service logs --since 2030-01-01 --raw x-d
run docker service logs x-d x-t
run docker service logs nosuch
q docker service update -d --log-driver json-file --log-opt max-size=1m x-n
ustate x-n completed; sleep 1
run docker service logs --raw x-n
insp x-n '{{json .Spec.TaskTemplate.LogDriver}}'
sh_ "docker inspect \$(docker ps -q --filter name=x-d.1) -f '{{json .HostConfig.LogConfig}}' | sed -E 's/[a-z0-9]{25}/ID/g'"
