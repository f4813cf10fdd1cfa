# title: owners and modes of secrets and configs inside containers, with templates and updates
# tags: secret config container
for i in 1 2 3; do q bash -c "printf 'v$i' | docker secret create x-s$i -"; q bash -c "printf 'c$i' | docker config create x-c$i -"; done
q bash -c "printf '{{.Service.Name}} {{.Task.Name}} {{.Node.ID}} {{env \"A\"}} {{secret \"x-s1\"}} {{config \"rel/c\"}}' | docker config create --template-driver golang x-t -"
q bash -c "printf '{{.Service.Name}} {{index .Service.Labels \"k\"}}' | docker secret create --template-driver golang x-ts -"
q docker service create -d --name x-f --label k=v --env A=aa --secret x-s1 --secret source=x-s2,target=two,uid=65534,gid=65534,mode=0400 --secret source=x-s3,target=/etc/three,mode=0640 --secret source=x-ts,target=ts --config source=x-c1 --config source=x-c2,target=rel/c,uid=1,gid=2,mode=0111 --config source=x-c3,target=/etc/conf/c3,mode=0666 --config source=x-t,target=/t,uid=7,mode=0500 --stop-grace-period 1s --update-monitor 200ms $IMG sleep 100000
replicas x-f 1/1
C=$(docker ps -q --filter name=x-f)
see() { docker exec $C stat -c '%n %a %u %g %F' "$@" 2>&1; }
see /run/secrets /run/secrets/x-s1 /run/secrets/two /etc/three /run/secrets/ts /x-c1 /rel/c /rel /etc/conf /etc/conf/c3 /t
sh_ "docker exec $C cat /run/secrets/x-s1 /run/secrets/two /etc/three /run/secrets/ts /x-c1 /rel/c /etc/conf/c3"
sh_ "docker exec $C cat /t | sed -E 's/x-f\.1\.[a-z0-9]{25}/x-f.1.TASK/'"
sh_ "docker exec $C sh -c 'echo x 2>&1 >/run/secrets/x-s1; echo x 2>&1 >/x-c1'"
sh_ "docker exec -u 65534:65534 $C sh -c '(cat /run/secrets/two; cat /etc/three) 2>&1'"
sh_ "docker service inspect x-f -f '{{range .Spec.TaskTemplate.ContainerSpec.Secrets}}{{println .SecretName .File.Name .File.UID .File.GID .File.Mode}}{{end}}' | sort"
run docker service update -d --secret-rm x-s2 --secret-add source=x-s3,target=again,mode=0444 --config-rm x-c3 x-f
ustate x-f completed; settled x-f 1
C=$(docker ps -q --filter name=x-f)
sh_ "docker exec $C ls /run/secrets"
run docker service update -d --secret-add x-s1 x-f
run docker service update -d --secret-add source=x-s2,target=x-s1 x-f
run docker service update -d --secret-rm nosuch x-f
run docker service update -d --secret-add nosuch x-f
run docker service update -d --config-add source=nosuch x-f
run docker secret rm x-s1 x-s2
run docker config rm x-t x-c3
