# title: stack life
# tags: stack
cat > c.yml <<'Y'
version: "3.8"
services:
  web:
    image: busybox:local
    command: sleep 100000
    stop_grace_period: 1s
    environment: { A: "1", B: }
    labels: { l: "1" }
    hostname: "h-{{.Task.Slot}}"
    healthcheck: { test: ["CMD", "true"], interval: 1s }
    ulimits: { nofile: { soft: 1000, hard: 2000 } }
    sysctls: { net.ipv4.ip_forward: "1" }
    cap_add: [NET_ADMIN]
    init: true
    extra_hosts: ["a:1.2.3.4"]
    logging: { driver: json-file, options: { max-size: "1m" } }
    deploy:
      replicas: 2
      labels: { d: "1" }
      update_config: { parallelism: 2, order: start-first, delay: 1s, monitor: 500ms }
      rollback_config: { parallelism: 1 }
      restart_policy: { condition: on-failure, delay: 1s, max_attempts: 3 }
      resources: { limits: { cpus: "0.5", memory: 64M }, reservations: { memory: 16M } }
      endpoint_mode: dnsrr
      placement: { constraints: ["node.role==manager"], preferences: [{ spread: node.labels.z }], max_replicas_per_node: 5 }
  job:
    image: busybox:local
    command: sh -c "exit 0"
    deploy: { mode: replicated-job, replicas: 1 }
    networks: [n]
networks:
  default: { driver_opts: { k: v }, ipam: { config: [{ subnet: 10.77.20.0/24 }] } }
  n: { attachable: true, labels: { nl: "1" }, ipam: { config: [{ subnet: 10.77.21.0/24 }] } }
Y
sh_ 'docker stack deploy -d -c c.yml x-st | sort'
replicas x-st_web 2/2; taskstates x-st_web
run docker stack ls --format '{{.Name}} {{.Services}}'
sh_ "docker stack services x-st --format '{{.Name}} {{.Mode}} {{.Replicas}} {{.Image}}' | sort"
sh_ "docker stack ps x-st --format '{{.Name}} {{.DesiredState}}' | sort"
run docker service inspect x-st_web --format '{{json .Spec}}'
sh_ "docker network inspect x-st_n --format '{{json .Labels}} {{.Attachable}} {{json .IPAM.Config}}'"
sh_ "docker network ls --filter label=com.docker.stack.namespace=x-st --format '{{.Name}}' | sort"
sh_ 'docker stack deploy -d -c c.yml x-st | sort'
settled x-st_web 2
run docker stack ps nosuch
run docker stack services nosuch
run docker stack rm nosuch
sh_ "docker stack services x-st --filter name=x-st_web --format '{{.Name}}'"
sh_ "docker stack ps x-st --filter name=x-st_web.1 --format '{{.Name}}'"
sh_ "docker stack rm x-st | sort"
until_ 30 '[ -z "$(docker network ls -q --filter label=com.docker.stack.namespace=x-st)" ]' 'networks gone'
run docker stack ls --format '{{.Name}}'
