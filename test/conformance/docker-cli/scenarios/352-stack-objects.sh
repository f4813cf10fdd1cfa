# title: stacks with secrets, configs and networks: options, external ones, templates, names, labels
# tags: stack secret config network
printf s1 > s1; printf 'slot {{.Task.Slot}}' > c1
q bash -c 'printf ext | docker secret create x-ext -'
q bash -c 'printf ext | docker config create x-extc -'
q docker network create -d overlay --attachable --subnet 10.77.60.0/24 x-extn
cat > s.yml <<'Y'
version: "3.8"
services:
  a:
    image: busybox:local
    command: sleep 100000
    stop_grace_period: 1s
    secrets: [s1, {source: ext, target: other, uid: "5", gid: "6", mode: 0400}]
    configs: [c1, {source: ext, target: /e/c, uid: "5", gid: "6", mode: 0440}]
    networks: {n1: {aliases: [al1, al2]}, extn: }
  b:
    image: busybox:local
    command: sleep 100000
    stop_grace_period: 1s
    networks: [n1, n2]
secrets: {s1: {file: ./s1, labels: {a: "1"}, name: x-named}, ext: {external: true, name: x-ext}}
configs: {c1: {file: ./c1, template_driver: golang, labels: [z=1]}, ext: {external: true, name: x-extc}}
networks:
  n1: {driver: overlay, internal: true, ipam: {driver: default, config: [{subnet: 10.77.61.0/24}]}, labels: {nl: "1"}}
  n2: {attachable: true, name: x-named-net}
  extn: {external: true, name: x-extn}
Y
sh_ 'docker stack deploy -d -c s.yml x-st | sort'
replicas x-st_a 1/1; replicas x-st_b 1/1
sh_ "docker service inspect x-st_a -f '{{json .Spec.TaskTemplate}}' | sed -E 's/\"(Target|SecretID|ConfigID)\":\"[a-z0-9]{25}\"/\"\1\":ID/g'"
sh_ "docker exec \$(docker ps -q --filter name=x-st_a) sh -c 'cat /run/secrets/s1 /run/secrets/other /c1 /e/c; ls -ln /run/secrets/other /e/c | awk \"{print \\\$1,\\\$3,\\\$4}\"'"
run docker secret inspect x-named --format '{{json .Spec.Labels}}'
run docker config inspect x-st_c1 --format '{{json .Spec.Labels}} {{json .Spec.Templating}}'
run docker network inspect x-st_n1 --format '{{.Internal}} {{.Attachable}} {{json .Labels}} {{json .IPAM}}'
run docker network inspect x-named-net --format '{{.Internal}} {{.Attachable}} {{json .Labels}}'
run docker network rm x-extn
run docker secret rm x-ext
run docker config rm x-st_c1
printf changed > s1
run docker stack deploy -d -c s.yml x-st
sed -i 's/subnet: 10.77.61/subnet: 10.77.62/; s/internal: true/internal: false/' s.yml; printf s1 > s1
sh_ 'docker stack deploy -d -c s.yml x-st | sort'
sed -i '/^  b:/,/networks: \[n1, n2\]/d' s.yml
run docker stack deploy -d --prune -c s.yml x-st
until_ 20 "! docker service inspect x-st_b" "pruned"
sh_ "docker network ls --filter label=com.docker.stack.namespace=x-st --format '{{.Name}}' | sort"
sh_ "docker stack rm x-st | sort"
until_ 30 "docker network rm x-extn" "external network is free"
sh_ "docker secret ls --filter name=x- --format '{{.Name}}'; docker config ls --filter name=x- --format '{{.Name}}'"
