/** Compose files that use every feature of stacks at least once. */

interface ComposeCase {
  readonly name: string;
  readonly texts: readonly string[];
}

export const COMPOSE_FILES: readonly ComposeCase[] = [
  { name: 'the least', texts: ['version: "3.8"\nservices:\n  web:\n    image: nginx\n'] },
  {
    name: 'commands, environment and variables',
    texts: [
      `version: "3.8"
x-common: &common
  environment: &environment
    A: one
    B: 2
    NUMBER: 1.5
services:
  web:
    image: "nginx:\${TAG}"
    command: sh -c "echo 'a b' && sleep \\$\${N}" # said
    entrypoint: ["/bin/entry", "--flag"]
    env_file: web.env
    environment:
      SHARED: own
      FROM_OUTSIDE:
      GONE:
      DEFAULTED: \${NONE:-default}
      EMPTY_DEFAULT: \${EMPTY-x}
      EMPTY_COLON: \${EMPTY:-x}
    hostname: "{{.Node.Hostname}}"
    user: "1000:1000"
    working_dir: /srv
    labels:
      - com.example.a=1
      - com.example.b
  worker:
    <<: *common
    image: reg.example:5000/worker@sha256:${'a'.repeat(64)}
    command: ["run", "all"]
    labels:
      com.example.number: 3
    tty: true
    stdin_open: true
    read_only: true
    init: true
    stop_signal: SIGINT
    stop_grace_period: 1m30s
`,
    ],
  },
  {
    name: 'deploy',
    texts: [
      `version: "3.8"
services:
  web:
    image: nginx:1
    deploy:
      mode: replicated
      replicas: 4
      endpoint_mode: dnsrr
      labels: { tier: front }
      update_config:
        parallelism: 2
        delay: 10s
        failure_action: rollback
        monitor: 30s
        max_failure_ratio: 0.25
        order: start-first
      rollback_config:
        parallelism: 0
        order: stop-first
      resources:
        limits: { cpus: "0.5", memory: 64M }
        reservations:
          cpus: "0.25"
          memory: 32mb
          generic_resources:
            - discrete_resource_spec: { kind: gpu, value: 2 }
      restart_policy:
        condition: on-failure
        delay: 5s
        max_attempts: 3
        window: 2m
      placement:
        constraints: ["node.role==worker", "node.labels.zone != a"]
        preferences:
          - spread: node.labels.zone
        max_replicas_per_node: 2
  each:
    image: nginx:1
    deploy: { mode: global, update_config: {} }
  none:
    image: nginx:1
    deploy: { replicas: 0 }
`,
    ],
  },
  {
    name: 'ports',
    texts: [
      `version: "3.8"
services:
  web:
    image: nginx:1
    ports:
      - "80"
      - 8080:80
      - "9000-9002:9000-9002/udp"
      - "7000-7001:70"
      - target: 443
        published: 8443
        mode: host
      - target: 53
        protocol: udp
`,
    ],
  },
  {
    name: 'networks',
    texts: [
      `version: "3.8"
services:
  web:
    image: nginx:1
    networks: [front, back, given]
  db:
    image: nginx:1
    networks:
      back:
        aliases: [database, data]
      outside:
  alone:
    image: nginx:1
networks:
  front:
    driver: overlay
    driver_opts: { encrypted: "" }
    attachable: true
    labels: { a: b }
  back:
    internal: true
    ipam:
      driver: default
      config:
        - subnet: 10.77.5.0/24
  given:
    name: given-name
  outside:
    external: true
  unused: {}
`,
    ],
  },
  {
    name: 'secrets and configs',
    texts: [
      `version: "3.8"
services:
  web:
    image: nginx:1
    secrets:
      - password
      - source: named
        target: other
        uid: "5"
        gid: "6"
        mode: 0400
      - outer
    configs:
      - app
      - source: templated
        target: /etc/templated.conf
secrets:
  password: { file: ./password.txt }
  named:
    name: real-name
    file: ./password.txt
    labels: { a: b }
  outer:
    external: true
    name: outer-secret
configs:
  app: { file: ./app.conf }
  templated:
    file: ./app.conf
    template_driver: golang
`,
    ],
  },
  {
    name: 'volumes',
    texts: [
      `version: "3.8"
services:
  web:
    image: nginx:1
    volumes:
      - data:/data
      - data:/read:ro
      - /host/path:/host:ro
      - ./relative:/relative
      - /anonymous
      - given:/given:nocopy
      - type: tmpfs
        target: /tmp
        tmpfs: { size: 1000000 }
      - type: bind
        source: /etc/hosts
        target: /etc/hosts
        read_only: true
        bind: { propagation: rslave }
      - type: volume
        source: outer
        target: /outer
        volume: { nocopy: true }
volumes:
  data:
  given:
    name: given-volume
    driver: local
    driver_opts: { type: nfs, o: "addr=10.0.0.1" }
    labels: { keep: "yes" }
  outer:
    external: true
`,
    ],
  },
  {
    name: 'container settings',
    texts: [
      `version: "3.8"
services:
  web:
    image: nginx:1
    healthcheck:
      test: ["CMD", "curl", "-f", "http://localhost"]
      interval: 1m30s
      timeout: 10s
      retries: 3
      start_period: 40s
    logging:
      driver: json-file
      options: { max-size: "10m", max-file: "3" }
    dns: [8.8.8.8, 9.9.9.9]
    dns_search: example.com
    extra_hosts:
      - "somehost:162.242.195.82"
      - "otherhost:50.31.209.229"
    sysctls:
      net.core.somaxconn: 1024
    ulimits:
      nproc: 65535
      nofile: { soft: 20000, hard: 40000 }
    cap_add: [NET_ADMIN, sys_time]
    cap_drop: [MKNOD]
  shell:
    image: nginx:1
    healthcheck:
      test: curl -f http://localhost || exit 1
    restart: always
  quiet:
    image: nginx:1
    healthcheck: { disable: true }
    restart: on-failure:3
`,
    ],
  },
  {
    name: 'a second file over the first',
    texts: [
      `version: "3.8"
services:
  web:
    image: nginx:1
    command: ["a", "b"]
    environment: { A: "1", B: "1" }
    labels: { x: "1" }
    ports: ["8080:80"]
    volumes: ["data:/data", "/host:/same"]
    networks: [front]
    deploy:
      replicas: 2
      labels: { d: "1" }
      placement: { constraints: ["node.role==worker"] }
      resources: { limits: { cpus: "1", memory: 64M } }
    logging: { driver: json-file, options: { max-size: "1m" } }
    ulimits: { nofile: 100 }
  db:
    image: postgres:1
networks: { front: {} }
volumes: { data: {} }
`,
      `version: "3.8"
services:
  web:
    image: nginx:2
    command: ["c"]
    environment: ["B=2", "C=2"]
    labels: { z: "2" }
    ports: ["9090:90"]
    volumes: ["/other:/same"]
    networks: [back]
    deploy:
      replicas: 3
      labels: { e: "2" }
      placement: { constraints: ["node.labels.a==b"] }
      resources: { limits: { cpus: "2" } }
    logging: { options: { max-file: "2" } }
    ulimits: { nproc: 5 }
  extra:
    image: redis:1
networks: { back: { internal: true } }
`,
    ],
  },
];
