# title: two nodes: secrets, configs, logs and exec reach tasks on both
# tags: two-node secret config logs
# nodes: 2
q bash -c 'printf s3cret | docker secret create x-s -'
q bash -c 'printf "{{.Node.ID}}" | docker config create --template-driver golang x-c -'
q docker service create -d --name x-w --mode global --secret x-s --config x-c --stop-grace-period 1s $IMG sh -c 'cat /run/secrets/x-s; echo; cat /x-c; echo; sleep 100000'
replicas x-w 2/2
until_ 15 "[ \$(docker service logs --raw x-w 2>/dev/null | grep -c s3cret) = 2 ]" "both read"
sh_ "docker service logs --raw x-w 2>/dev/null | sed \"s/\$NODE2/NODE2/; s/\$NODE/NODE1/\" | sort"
sh_ "docker service logs --tail 1 --raw x-w 2>/dev/null | sed \"s/\$NODE2/NODE2/; s/\$NODE/NODE1/\" | sort"
sh_ "docker service logs x-w 2>/dev/null | sed -E \"s/\$NODE2/NODE2/g; s/\$NODE/NODE/g\" | sed -E 's/x-w\\.([a-zA-Z0-9]+)\\.[a-z0-9]{12}@[^ ]+/x-w.\\1.TASK/; s/  +/ /' | sort"
sh_ "T=\$(docker service ps -q --no-trunc --filter node=\$NODE2 x-w); docker service logs --raw \$T 2>/dev/null | sed \"s/\$NODE2/NODE2/; s/\$NODE/NODE1/\""
sh_ "timeout 3 docker service logs -f --raw x-w 2>/dev/null | wc -l"
run docker secret rm x-s
