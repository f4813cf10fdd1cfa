# title: stack files: env files, extra fields, several files, interpolation, volumes, tmpfs, profiles of a healthcheck
# tags: stack
printf 'F1=file\nF2=x\n' > a.env
cat > a.yml <<'Y'
version: "3.8"
x-common: &common
  image: busybox:local
  stop_grace_period: 1s
  stop_signal: SIGINT
services:
  a:
    <<: *common
    command: ["sleep", "100000"]
    env_file: [a.env]
    environment: ["F2=over", "V=${V:-dflt}", "W=${W-w}", "D=$$lit",]
    working_dir: /tmp
    user: "0:0"
    tty: true
    tmpfs: [/scratch, "/s2"]
    volumes: ["data:/data", "/tmp:/host:ro", {type: tmpfs, target: /t, tmpfs: {size: 1048576}}, {type: volume, source: data2, target: /d2, read_only: true, volume: {nocopy: true}}]
    dns: [1.1.1.1, 2.2.2.2]
    dns_search: ex.org
    extra_hosts: {h1: 1.1.1.1}
    healthcheck: {test: "true", interval: 2s, timeout: 1s, retries: 2, start_period: 1s}
    labels: ["cl=1", "cm"]
    cap_drop: [ALL]
    deploy:
      labels: [dl=1]
      resources: {limits: {cpus: "0.25", memory: 20M}, reservations: {cpus: "0.01", memory: 5M}}
  b:
    <<: *common
    command: ["sleep 100000"]
    healthcheck: {disable: true}
    entrypoint: ["sh", "-c"]
    hostname: bh
    ports: ["18411:80", "18412-18413:81-82/udp", {target: 83, published: 18414, mode: host, protocol: tcp}]
    deploy: {mode: global, endpoint_mode: vip, rollback_config: {parallelism: 2, delay: 1s, failure_action: continue, monitor: 1s, max_failure_ratio: 0.1, order: start-first}, update_config: {max_failure_ratio: 0.2, failure_action: rollback}}
volumes: {data: {driver: local, labels: {v: "1"}}, data2: {name: x-data2}}
Y
cat > b.yml <<'Y'
version: "3.8"
services:
  a: {environment: {M: merged}, deploy: {replicas: 2}}
  c: {image: "${IMAGE:-busybox:local}", command: sleep 100000, stop_grace_period: 1s}
Y
run docker stack config -c a.yml -c b.yml
sh_ "W=given docker stack deploy -d -c a.yml -c b.yml x-st | sort"
replicas x-st_a 2/2 20; replicas x-st_b 1/1 20; replicas x-st_c 1/1 20; taskstates x-st_a
insp x-st_a '{{json .Spec}}'
insp x-st_b '{{json .Spec}}'
insp x-st_c '{{json .Spec}}'
run docker stack services x-st
run docker stack services x-st -q --filter name=x-st_a
run docker stack services x-st --filter label=dl --format '{{.Name}}'
run docker stack services x-st --filter mode=global --format '{{.Name}} {{.Ports}}'
run docker stack services x-st --filter bogus=1
run docker stack ps x-st --filter name=x-st_a --format '{{.Name}} {{.Image}} {{.Node}} {{.DesiredState}} {{.Error}} {{.Ports}}'
run docker stack ps x-st --filter bogus=1
run docker stack ps x-st --filter node=nosuch -q
sh_ "docker stack ps x-st --no-trunc -q | awk '{print length(\$1)}' | sort -u"
run docker stack ls
run docker stack ls --format json
run docker stack ls --orchestrator all
sh_ "docker volume ls --filter name=x- --format '{{.Name}} {{.Driver}} {{.Labels}}' | sort"
sh_ "cat b.yml | docker stack deploy -d -c - x-st2"
run docker stack rm x-st x-st2 x-nosuch
until_ 30 "[ -z \"\$(docker service ls -q --filter label=com.docker.stack.namespace=x-st)\" ]" "gone"
