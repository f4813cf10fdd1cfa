/** Compose files as people write them, one or several to a stack, whose services the docker CLI and swarmctl must make the same. */

interface VariedStack {
  readonly name: string;
  readonly texts: readonly string[];
}

export const VARIED_STACKS: readonly VariedStack[] = [
  {
    name: 'a blog: anchors, merged maps, fields of the writer',
    texts: [
      `version: "3.8"
x-logging: &logging
  driver: json-file
  options: { max-size: 5m, max-file: "2" }
x-deploy: &deploy
  replicas: 2
  restart_policy: &restart { condition: on-failure, delay: 3s, max_attempts: 4 }
x-env: &env { TZ: UTC, LANG: C }
services:
  blog:
    image: ghost
    logging: *logging
    environment:
      <<: *env
      url: "http://blog.example:\${PORT:-8080}"
    deploy: *deploy
    x-owner: { team: web }
  db:
    image: mysql:8
    logging:
      <<: *logging
      driver: local
    environment:
      - MYSQL_DATABASE=\${DB-blog}
      - MYSQL_USER=\${EMPTY:-user}
      - MYSQL_PASSWORD=p$$word
    deploy:
      <<: *deploy
      replicas: 1
      restart_policy:
        <<: *restart
        window: 1m
`,
    ],
  },
  {
    name: 'environment from files, the process and the file',
    texts: [
      `services:
  one:
    image: app
    env_file: [./web.env, ./more.env]
    environment: [B=file, "SPACED=a b  c", EMPTY_HERE=, FROM_OUTSIDE, NOWHERE]
  two:
    image: app
    env_file: more.env
  three:
    image: app
    environment: { NUMBER: 10, FLOAT: 1.50, LARGE: 12345678, ID: 123456789012345678, HEX: 0x1F, OCTAL: 017, NOTHING: , TEXT: "yes" }
`,
    ],
  },
  {
    name: 'ports in every form, out of order',
    texts: [
      `services:
  web:
    image: nginx
    ports:
      - "9443:443"
      - 8080:80/tcp
      - "5353:53/udp"
      - "6000-6002:7000-7002"
      - { target: 9090, published: 3000, mode: host, protocol: udp }
      - target: 81
      - "1234"
`,
    ],
  },
  {
    name: 'volumes in every form',
    texts: [
      `services:
  web:
    image: nginx
    volumes:
      - zeta:/z
      - alpha:/a:ro
      - /srv/data:/m:rw,rslave
      - ./conf:/conf
      - { type: volume, source: zeta, target: /nocopy, volume: { nocopy: true } }
      - { type: volume, target: /anonymous, read_only: true }
      - { type: tmpfs, target: /scratch, tmpfs: { size: 1048576 } }
      - { type: bind, source: ./conf, target: /b, bind: { propagation: rprivate } }
volumes:
  zeta:
    driver: local
    driver_opts: { type: tmpfs, device: tmpfs, o: "size=10m,uid=1000" }
    labels: [a=b, c]
  alpha:
    name: "alpha-\${TAG}"
`,
    ],
  },
  {
    name: 'secrets and configs, short and long',
    texts: [
      `services:
  app:
    image: app
    secrets:
      - zz
      - { source: password, target: /run/pw, uid: "1", gid: "2", mode: 0440 }
      - source: aa
    configs:
      - { source: main, target: /etc/main.conf, mode: 288 }
      - other
secrets:
  zz: { file: ./password.txt }
  aa: { file: ./password.txt, name: "aa_\${TAG}" }
  password: { file: ./password.txt, labels: { rotated: "7" } }
configs:
  other: { file: ./app.conf }
  main: { file: ./app.conf, template_driver: golang, labels: [x=y] }
`,
    ],
  },
  {
    name: 'networks with aliases, names and options',
    texts: [
      `services:
  web:
    image: nginx
    hostname: web-{{.Task.Slot}}
    networks:
      zone: { aliases: [www, front], driver_opts: { com.example.a: "1" } }
      back:
      outside: { aliases: [given] }
  db:
    image: postgres
    networks: [zone, back]
    dns: [10.0.0.2]
    dns_search: [example.com, b.example]
networks:
  zone: { attachable: true, labels: { a: "1" } }
  back: { name: back-net, internal: true, driver_opts: { com.docker.network.driver.mtu: "1400" } }
  outside: { external: true }
`,
    ],
  },
  {
    name: 'jobs and globals',
    texts: [
      `services:
  migrate: { image: app, command: migrate --all, deploy: { mode: replicated-job, replicas: 3, restart_policy: { condition: on-failure } } }
  once: { image: app, deploy: { mode: replicated-job } }
  clean: { image: app, deploy: { mode: global-job, restart_policy: { condition: none } } }
  agent:
    image: agent
    deploy:
      mode: global
      placement: { constraints: [node.platform.os == linux], preferences: [{ spread: node.labels.a }, { spread: node.labels.b }] }
      update_config: { parallelism: 0, order: start-first }
`,
    ],
  },
  {
    name: 'deploy to the last field',
    texts: [
      `version: "3.9"
services:
  web:
    image: nginx@sha256:${'b'.repeat(64)}
    deploy:
      replicas: 6
      endpoint_mode: vip
      labels: [traefik.enable=true, "traefik.http.routers.web.rule=Host(\`web.example\`)", empty]
      update_config: { parallelism: 2, delay: 1m10s, failure_action: continue, monitor: 15s, max_failure_ratio: 0.3, order: stop-first }
      rollback_config: { parallelism: 1, delay: 500ms, failure_action: pause, monitor: 1m, max_failure_ratio: 0, order: start-first }
      resources:
        limits: { cpus: "1.25", memory: 1g, pids: 50 }
        reservations:
          cpus: "0.001"
          memory: 20M
          generic_resources:
            - discrete_resource_spec: { kind: SSD, value: 1 }
            - discrete_resource_spec: { kind: GPU, value: 2 }
      restart_policy: { condition: any, delay: 0s, max_attempts: 0, window: 1h }
      placement: { constraints: ["node.role != manager", "node.labels.disk == ssd"], max_replicas_per_node: 3 }
`,
    ],
  },
  {
    name: 'containers to the last field',
    texts: [
      `services:
  app:
    image: registry.example:5000/team/app:\${TAG}
    command: ["serve", "--x", ""]
    entrypoint: /entry.sh --flag "two words"
    working_dir: /srv
    user: "1000:100"
    labels: { b: "2", a: "1" }
    init: false
    tty: true
    stdin_open: true
    read_only: true
    stop_signal: SIGQUIT
    stop_grace_period: 2m5s
    extra_hosts: ["zed:10.0.0.9", "abe:10.0.0.8", "v6:2001:db8::1"]
    cap_add: [SYS_ADMIN, net_raw, CAP_CHOWN]
    cap_drop: [ALL]
    sysctls: [net.ipv4.ip_forward=1, net.core.somaxconn=512]
    ulimits: { nproc: 64, nofile: { soft: 10, hard: 20 }, core: 0 }
    isolation: default
    healthcheck: { test: [CMD-SHELL, "curl -f localhost || exit 1"], interval: 7s, timeout: 1500ms, retries: 2, start_period: 1m }
  quiet: { image: app, healthcheck: { disable: true }, logging: { driver: none } }
  checked: { image: app, healthcheck: { test: NONE } }
`,
    ],
  },
  {
    name: 'zeros, and hosts as a map',
    texts: [
      `services:
  web:
    image: nginx
    extra_hosts: { zed: 10.0.0.9, abe: 10.0.0.8 }
    healthcheck: { test: "true", interval: 0s, timeout: 0s, retries: 0, start_period: 0s }
    deploy:
      replicas: 0
      update_config: { parallelism: 0, delay: 0s, monitor: 0s, max_failure_ratio: 0 }
      resources: { limits: { cpus: "0", memory: "0", pids: 0 }, reservations: { cpus: "0", memory: "0" } }
      restart_policy: { delay: 0s, max_attempts: 0, window: 0s }
`,
    ],
  },
  {
    name: 'what a swarm has no use for',
    texts: [
      `services:
  web:
    image: nginx
    build: { context: . }
    container_name: web
    links: [db]
    network_mode: bridge
    privileged: true
    restart: unless-stopped
    devices: ["/dev/null:/dev/null"]
    expose: ["80"]
    security_opt: ["no-new-privileges:true"]
    ports: ["127.0.0.1:8080:80"]
    networks: { default: { ipv4_address: 10.9.8.7 } }
  db: { image: postgres, restart: "on-failure:5", shm_size: 64m }
`,
    ],
  },
  {
    name: 'a file for production over the first',
    texts: [
      `services:
  web:
    image: nginx:1
    entrypoint: [/first]
    command: first
    environment: { A: "1", B: "1" }
    env_file: web.env
    labels: [l=1]
    ports: ["8080:80", "8443:443", "1053:53/udp"]
    volumes: ["zeta:/z", "alpha:/a", "/host/one:/m"]
    secrets: [zz, { source: aa, target: first }]
    configs: [{ source: main, target: /etc/first }]
    networks: { front: { aliases: [one], driver_opts: { a: "1" } }, back: {} }
    dns: [10.0.0.1]
    extra_hosts: ["a:10.0.0.1"]
    cap_add: [SYS_TIME]
    ulimits: { nofile: { soft: 1, hard: 2 }, nproc: 3 }
    sysctls: { a.b: "1", a.c: "1" }
    healthcheck: { test: "true", interval: 5s, retries: 3 }
    logging: { driver: json-file, options: { max-size: 1m, max-file: "1" } }
    deploy:
      replicas: 2
      labels: { d: "1" }
      update_config: { parallelism: 2, delay: 10s }
      resources: { limits: { cpus: "1", memory: 1g }, reservations: { memory: 5M } }
      restart_policy: { condition: none }
      placement: { constraints: [node.role == manager], preferences: [{ spread: node.labels.a }] }
  untouched:
    image: redis
    volumes: ["zeta:/z", "alpha:/a"]
    ports: ["7001:1", "7000:2"]
  barely: { image: redis, volumes: ["zeta:/z", "alpha:/a"], cap_add: [B, A] }
networks: { front: {}, back: { internal: true, labels: { a: b } } }
volumes: { zeta: {}, alpha: { driver: local } }
secrets: { zz: { file: password.txt }, aa: { file: password.txt } }
configs: { main: { file: app.conf } }
`,
      `services:
  web:
    image: nginx:2
    command: [second]
    environment: [B=2, C=2]
    labels: { m: "2" }
    ports: ["9000:90", "8080:8080", { target: 443, published: 8443, mode: host }]
    volumes: ["/host/two:/m", "beta:/b", "alpha:/a:ro"]
    secrets: [{ source: aa, target: second }, bb]
    configs: [{ source: main, target: /etc/second, mode: 0400 }]
    networks: { back: { aliases: [two] }, front: { aliases: [other] } }
    dns: [10.0.0.2]
    extra_hosts: ["b:10.0.0.2"]
    cap_add: [SYS_NICE]
    ulimits: { nofile: 5 }
    sysctls: [a.c=2]
    healthcheck: { interval: 9s }
    logging: { options: { max-size: 2m } }
    deploy:
      replicas: 5
      labels: [e=2]
      update_config: { delay: 20s, order: start-first }
      resources: { limits: { memory: 2g } }
      restart_policy: { delay: 4s }
      placement: { constraints: [node.labels.x == y], max_replicas_per_node: 2 }
  barely: { image: redis:7 }
  added: { image: app }
networks: { back: { attachable: true } }
volumes: { beta: {}, alpha: { labels: { x: y } } }
secrets: { bb: { file: password.txt } }
`,
      `services:
  web: { image: nginx:3, logging: { driver: syslog, options: { tag: x } }, networks: [outside], user: "5" }
networks: { outside: { external: true } }
`,
    ],
  },
];
