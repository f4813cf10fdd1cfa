# title: stack files of every version: what is refused, ignored with a warning, and sent
# tags: stack
# timeout: 240
one() { printf 'version: "%s"\nservices:\n  a:\n    image: busybox:local\n    command: sleep 100000\n    stop_grace_period: 0s\n%s\n' "$1" "$2" > one.yml; echo "-- $1 $(echo "$2" | tr -s ' \n' ' ')"; docker stack deploy -d -c one.yml x-st 2>&1 | sort; docker service inspect x-st_a -f '{{json .Spec}}' 2>&1 | sed -E 's/"Target":"[a-z0-9]{25}"/T/g'; docker stack rm x-st >/dev/null 2>&1; local end=$((SECONDS+20)); while [ -n "$(docker network ls -q --filter label=com.docker.stack.namespace=x-st)$(docker service ls -q --filter label=com.docker.stack.namespace=x-st)" ] && [ $SECONDS -lt $end ]; do sleep .2; done; }
one 3.0 '    network_mode: none'
one 3.1 '    network_mode: bridge'
one 3.3 '    userns_mode: host
    security_opt: [no-new-privileges]
    privileged: true
    devices: [/dev/null]
    cgroup_parent: m
    container_name: n
    restart: always
    shm_size: 64M
    pid: host
    ipc: host
    depends_on: [a]
    domainname: d
    mac_address: 02:42:ac:11:65:43
    build: .
    external_links: [x]
    expose: ["80"]'
one 3.6 '    tmpfs: /t:size=1000'
one 3.7 '    init: false
    read_only: true
    stdin_open: true
    stop_signal: SIGQUIT
    dns_opt: [ndots:1]'
one 3.8 '    sysctls: [net.core.somaxconn=1024]
    ulimits: {nproc: 65535, nofile: {soft: 20000, hard: 40000}}
    deploy: {placement: {max_replicas_per_node: 1}}'
one 3.9 '    cap_add: [ALL]
    cap_drop: [NET_RAW]
    deploy: {resources: {limits: {pids: 5}, reservations: {generic_resources: [{discrete_resource_spec: {kind: gpu, value: 2}}]}}}'
one 3.11 '    oom_score_adj: 5'
one 3.12 '    deploy: {replicas: 0, restart_policy: {}, update_config: {}, rollback_config: {}}'
one 3.13 '    healthcheck: {test: ["NONE"]}'
one 3.13 '    x-bogus: 1
    deploy: {x-a: 1}'
one 3.13 '    ports: ["80", "18600-18602:80", 18603:81/udp, {target: 9}]'
one 3.13 '    deploy: {endpoint_mode: dnsrr}
    ports: ["18604:80"]'
one 3.13 '    deploy: {mode: replicated-job, update_config: {parallelism: 2}}'
one 3.13 '    deploy: {mode: replicated-job, replicas: 2, restart_policy: {condition: any}}'
one 3.13 '    deploy: {restart_policy: {condition: bogus}}'
one 3.13 '    deploy: {placement: {constraints: ["node.role == worker"]}}'
one 3.13 '    deploy: {placement: {preferences: [{spread: bogus}]}}'
one 3.13 '    volumes: ["/a"]'
one 3.13 '    volumes: ["./rel:/a", "~/h:/h"]' | sed -E 's,"Source":"[^"]*","Source":"S",g'
one 3.13 '    command: []
    entrypoint: []'
one 3.13 '    entrypoint: sh -c "a b"
    command: ["c"]
    environment: {A: 1, B: true, C: null, D: ""}
    hostname: h.d
    extra_hosts: ["h:1.2.3.4", "h=::1"]
    logging: {driver: none}'
