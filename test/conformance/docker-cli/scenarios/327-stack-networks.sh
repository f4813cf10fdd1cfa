# title: stacks: networks with aliases, addresses, options and names; labels and deploy options
# tags: stack network
q docker network create -d overlay --subnet 10.77.90.0/24 --attachable x-ext
cat > s.yml <<'Y'
version: "3.8"
services:
  web:
    image: busybox:local
    command: sleep 100000
    stop_grace_period: 1s
    labels: {c: "1"}
    networks:
      front: {aliases: [www, site]}
      back:
      outer: {aliases: [x]}
    deploy:
      labels: {s: "1", t: ""}
      replicas: 2
      endpoint_mode: dnsrr
      placement: {constraints: ["node.role == manager"], preferences: [{spread: node.labels.z}], max_replicas_per_node: 4}
      restart_policy: {condition: on-failure, delay: 2s, max_attempts: 3, window: 60s}
      update_config: {parallelism: 2, delay: 1s, order: start-first, failure_action: continue, monitor: 1s, max_failure_ratio: 0.5}
      resources: {limits: {cpus: "0.5", memory: 64M}, reservations: {cpus: "0.01", memory: 8M}}
  lone:
    image: busybox:local
    command: sleep 100000
    stop_grace_period: 1s
    network_mode: host
  plain:
    image: busybox:local
    command: sleep 100000
    stop_grace_period: 1s
networks:
  front:
    driver: overlay
    attachable: true
    labels: {n: front}
    ipam: {driver: default, config: [{subnet: 10.77.91.0/24}]}
    driver_opts: {com.docker.network.driver.mtu: "1300"}
  back: {internal: true, name: x-back-name}
  outer: {external: true, name: x-ext}
Y
sh_ "docker stack deploy -d -c s.yml x-st 2>&1 | sort"
replicas x-st_web 2/2; replicas x-st_lone 1/1; replicas x-st_plain 1/1
sh_ "docker network ls --filter label=com.docker.stack.namespace=x-st --format '{{.Name}} {{.Driver}} {{.Internal}}' | sort"
sh_ "docker network inspect x-st_front -f '{{.Attachable}} {{json .IPAM}} {{json .Labels}} {{.Internal}}'"
sh_ "docker network inspect x-st_front -f '{{index .Options \"com.docker.network.driver.mtu\"}}'"
sh_ "docker network inspect x-back-name -f '{{.Attachable}} {{json .Labels}} {{.Internal}} {{.Driver}} {{.Scope}}'"
for s in web lone plain; do sh_ "docker service inspect x-st_$s -f '{{range .Spec.TaskTemplate.Networks}}{{json .Aliases}} {{end}}'"; done
insp x-st_web '{{json .Spec.Labels}} {{json .Spec.TaskTemplate.ContainerSpec.Labels}}'
insp x-st_web '{{json .Spec.TaskTemplate.Placement}} {{json .Spec.TaskTemplate.RestartPolicy}} {{json .Spec.UpdateConfig}} {{json .Spec.TaskTemplate.Resources}} {{json .Spec.EndpointSpec}}'
C=$(docker ps -q --filter name=x-st_web.1)
sh_ "docker exec $C nslookup www 127.0.0.11 | grep -c 'Address.*10\.77\.91\.'"
sh_ "docker exec $C nslookup web 127.0.0.11 | grep -c 'Address.*10\.'"
sh_ "docker exec $C nslookup tasks.web 127.0.0.11 | grep -c 'Address.*10\.'"
sh_ "docker inspect $C -f '{{range \$k, \$v := .NetworkSettings.Networks}}{{\$k}} {{end}}'"
sed -i 's/aliases: \[www, site\]/aliases: [www2]/; s/replicas: 2/replicas: 1/; /  lone:/,/network_mode: host/d' s.yml
sh_ "docker stack deploy -d --prune -c s.yml x-st 2>&1 | sort"
ustate x-st_web completed; settled x-st_web 1
sh_ "docker service inspect x-st_web -f '{{range .Spec.TaskTemplate.Networks}}{{json .Aliases}} {{end}}'"
run docker stack services x-st --format '{{.Name}} {{.Mode}} {{.Replicas}} {{.Image}} {{.Ports}}'
sed -i 's/attachable: true/attachable: false/' s.yml
sh_ "docker stack deploy -d -c s.yml x-st 2>&1 | sort"
sh_ "docker network inspect x-st_front -f '{{.Attachable}}'"
sh_ "docker stack rm x-st 2>&1 | sort"
until_ 30 "[ -z \"\$(docker network ls -q --filter label=com.docker.stack.namespace=x-st)\" ]" "gone"
run docker network inspect x-ext -f '{{.Name}}'
