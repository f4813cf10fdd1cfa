# title: secrets: labels, filters, sizes, update, use with file attributes
# tags: secret
sh_ "printf s3cret | docker secret create -l a=1 -l b=2 x-s1 -"
sh_ "printf '' | docker secret create x-s2 -"
sh_ "head -c 600000 /dev/zero | docker secret create x-s3 -"
sh_ "printf a | docker secret create 'x bad' -"
sh_ "printf a | docker secret create -d nosuch x-s4 -"
sh_ "printf a | docker secret create --template-driver golang x-s5 -"
run docker secret inspect x-s1 --format '{{.Spec.Name}} {{json .Spec.Labels}} {{json .Spec.Data}}'
run docker secret inspect --pretty x-s1
run docker secret ls --filter name=x-s --format '{{.Name}} {{.Driver}} {{.Label "a"}} {{.Label "b"}}'
run docker secret ls --filter label=a=1 --format '{{.Name}}'
run docker secret ls --filter bogus=1
run docker secret inspect nosuch
run docker secret rm nosuch
q bash -c 'printf 2nd | docker secret create x-s6 -'
q docker service create -d --name x-u --secret source=x-s6,target=other,uid=1000,gid=1000,mode=0400 --secret x-s1 $IMG sleep 100000
replicas x-u 1/1
sh_ "docker exec \$(docker ps -q --filter name=x-u) sh -c 'cat /run/secrets/other /run/secrets/x-s1; ls -ln /run/secrets | awk \"{print \\\$1,\\\$3,\\\$4,\\\$5,\\\$9}\"'"
run docker secret rm x-s1
run docker service create -d --name x-v --secret source=x-s1,target=dup --secret source=x-s1,target=dup $IMG sleep 1
q docker service rm x-u
run docker secret rm x-s1
