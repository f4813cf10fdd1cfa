# title: secrets and configs: tables, json, several at once, prefix, labels, use in services and updates
# tags: secret config
for i in 1 2 3; do q bash -c "printf v$i | docker secret create -l n=$i x-s$i -"; q bash -c "printf v$i | docker config create -l n=$i x-c$i -"; done
for k in secret config; do
run docker $k ls --filter name=x-
run docker $k ls -q --filter name=x-
run docker $k ls --filter name=x- --format json
run docker $k ls --filter id=nosuch
run docker $k ls --filter names=x-s1 --format '{{.Name}}'
run docker $k ls --filter name=s1 --format '{{.Name}}'
run docker $k inspect x-nosuch x-${k:0:1}1 --format '{{.Spec.Name}}'
run docker $k inspect x-${k:0:1}2
run docker $k inspect --pretty x-${k:0:1}2
run docker $k inspect
sh_ "docker $k inspect \$(docker $k inspect x-${k:0:1}1 -f '{{.ID}}' | cut -c1-10) --format '{{.Spec.Name}}'"
run docker $k create x-n nosuchfile
run docker $k create
sh_ "printf a | docker $k create -l '' x-n1 -"
sh_ "printf a | docker $k create -l =a x-n2 -"
sh_ "printf a | docker $k create --template-driver bogus x-n3 -"
sh_ "printf a | docker $k create -- -x -"
sh_ "printf a | docker $k create x-$(printf 'a%.0s' {1..63}) -"
run docker $k rm x-n1 x-nosuch x-n3
done
q docker service create -d --name x-w --secret x-s1 --secret source=x-s2,target=/abs/path --config source=x-c1,target=rel --config x-c2 --stop-grace-period 1s --update-monitor 300ms $IMG sleep 100000
replicas x-w 1/1
sh_ "docker service inspect x-w -f '{{len .Spec.TaskTemplate.ContainerSpec.Secrets}} {{range .Spec.TaskTemplate.ContainerSpec.Configs}}{{println}}{{json .}}{{end}}' | sed -E 's/[a-z0-9]{25}/ID/g' | sort"
sh_ "docker exec \$(docker ps -q --filter name=x-w) cat /run/secrets/x-s1 /abs/path /rel /x-c2"
run docker secret rm x-s1 x-s3
run docker config rm x-c1 x-c3
run docker service update -d --secret-rm x-s1 --config-rm x-c1 --config-add source=x-c2,target=/again,mode=0400 x-w
ustate x-w completed; settled x-w 1
run docker service inspect --pretty x-w
run docker service create -d --name x-v --secret source=x-s2,target=a,bogus=1 $IMG sleep 1
run docker service create -d --name x-v --secret target=a $IMG sleep 1
run docker service create -d --name x-v --secret source=x-s2,mode=9 $IMG sleep 1
run docker service create -d --name x-v --config source=x-c2,target=/a --config source=x-c2,target=/a $IMG sleep 1
run docker service create -d --name x-v --config source=x-c2 --config source=x-c2,target=/b $IMG sleep 100000
run docker service create -d --name x-u --credential-spec config://x-c2 $IMG sleep 1
run docker secret update x-s2
