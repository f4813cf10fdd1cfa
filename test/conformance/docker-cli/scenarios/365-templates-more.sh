# title: templates in labels of volumes, hostnames and env; in configs and secrets
# tags: template
q bash -c 'printf "{{.Service.Name}}/{{.Task.Slot}}/{{env \"A\"}}/{{index .Service.Labels \"l\"}}" | docker config create --template-driver golang x-c -'
q bash -c 'printf "{{secret \"inner\"}}-{{config \"cc\"}}-{{.Task.Name}}" | docker secret create --template-driver golang x-s -'
q bash -c 'printf in | docker secret create x-in -'; q bash -c 'printf cc | docker config create x-cc -'
q docker service create -d --name x-t --label l=lab --env A=1 --config source=x-c,target=/c --secret source=x-s,target=s --secret source=x-in,target=inner --config source=x-cc,target=cc $IMG sleep 100000
replicas x-t 1/1
sh_ "docker exec \$(docker ps -q --filter name=x-t) sh -c 'cat /c; echo; cat /run/secrets/s' | sed \"\$HOSTSED\" | sed -E 's/x-t\.1\.[a-z0-9]{25}/TASK/'"
q docker service create -d --name x-v --env 'P={{.Node.Platform.OS}}-{{.Node.Platform.Architecture}}' --env 'N={{.Task.Name}}' --mount 'type=volume,src=x-{{.Service.Name}},dst=/v' $IMG sleep 100000
replicas x-v 1/1
sh_ "docker inspect \$(docker ps -q --filter name=x-v) -f '{{json .Config.Env}} {{range .Mounts}}{{.Name}}{{end}}' | sed -E 's/x-v\.1\.[a-z0-9]{25}/TASK/'"
