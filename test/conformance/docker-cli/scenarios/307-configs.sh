# title: configs: create, inspect, pretty, template, file attributes
# tags: config
sh_ "printf 'hello {{.Service.Name}} {{.Task.Slot}} {{env \"K\"}}' | docker config create --template-driver golang -l z=1 x-c1 -"
sh_ "printf plain | docker config create x-c2 -"
sh_ "head -c 1100000 /dev/zero | docker config create x-c3 -"
sh_ "printf '' | docker config create x-c4 -"
run docker config inspect x-c2 --format '{{.Spec.Name}} {{json .Spec.Labels}} {{json .Spec.Data}} {{json .Spec.Templating}}'
run docker config inspect --pretty x-c1
run docker config ls --filter name=x-c --format '{{.Name}} {{.Labels}}'
run docker config ls --filter label=z
q docker service create -d --name x-u --env K=v --config source=x-c1,target=/etc/t.txt,mode=0440,uid=5,gid=6 --config x-c2 $IMG sleep 100000
replicas x-u 1/1
sh_ "docker exec \$(docker ps -q --filter name=x-u) sh -c 'cat /etc/t.txt; echo; cat /x-c2; echo; ls -ln /etc/t.txt /x-c2 | awk \"{print \\\$1,\\\$3,\\\$4,\\\$5,\\\$9}\"'"
run docker config rm x-c2
run docker config inspect nosuch
run docker config rm nosuch
run docker service update -d --config-rm x-c2 x-u
until_ 20 "docker config rm x-c2" "config is free"
