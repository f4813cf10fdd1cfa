# title: stack files the client or the manager refuses
# tags: stack error
f() { cat > s.yml; run docker stack deploy -d -c s.yml x-st | sed "s#$SDIR#DIR#"; }
run docker stack deploy -c nosuch.yml x-st
run docker stack deploy x-st
run docker stack deploy -c s.yml
f <<< 'version: "3.8"'
f <<< 'services: {a: {image: "busybox:local"}'
f <<< '{version: "3.8", services: {a: {}}}'
f <<< '{version: "2", services: {a: {image: "busybox:local"}}}'
f <<< '{version: "3.8", services: {a: {image: "busybox:local", bogus: 1}}}'
f <<< '{version: "3.8", services: {a: {image: "busybox:local", deploy: {replicas: many}}}}'
f <<< '{version: "3.8", services: {a: {image: "busybox:local", deploy: {mode: bogus}}}}'
f <<< '{version: "3.8", services: {a: {image: "busybox:local", networks: [nosuch]}}}'
f <<< '{version: "3.8", services: {a: {image: "busybox:local", secrets: [nosuch]}}}'
f <<< '{version: "3.8", services: {a: {image: "busybox:local", configs: [nosuch]}}}'
f <<< '{version: "3.8", services: {a: {image: "busybox:local", volumes: ["v:/v"]}}}'
f <<< '{version: "3.8", services: {a: {image: "busybox:local", secrets: [s]}}, secrets: {s: {external: true}}}'
f <<< '{version: "3.8", services: {a: {image: "busybox:local", configs: [s]}}, configs: {s: {external: true, name: x-nosuch}}}'
f <<< '{version: "3.8", services: {a: {image: "busybox:local", networks: [n]}}, networks: {n: {external: true, name: x-nosuch}}}'
f <<< '{version: "3.8", services: {a: {image: "busybox:local", networks: [n]}}, networks: {n: {external: true, name: bridge}}}'
f <<< '{version: "3.8", services: {a: {image: "busybox:local"}}, secrets: {s: {file: ./nosuch}}}'
f <<< '{version: "3.8", services: {a: {image: "busybox:local", ports: ["a:b"]}}}'
f <<< '{version: "3.8", services: {a: {image: "busybox:local", environment: {A: "${X:?must be set}"}}}}'
f <<< '{version: "3.8", services: {a: {image: "busybox:local", environment: {A: "${X"}}}}'
f <<< '{version: "3.8", services: {a: {image: "busybox:local", deploy: {placement: {constraints: ["bad"]}}}}}'
f <<< '{version: "3.8", services: {a: {image: "busybox:local", deploy: {restart_policy: {condition: bogus}}}}}'
f <<< '{version: "3.8", services: {a: {image: "busybox:local", deploy: {update_config: {failure_action: bogus}}}}}'
f <<< '{version: "3.8", services: {a: {image: "busybox:local", deploy: {resources: {limits: {memory: 1k}}}}}}'
f <<< '{version: "3.8", services: {a: {image: "busybox:local", healthcheck: {test: ["CMD"], interval: 1us}}}}'
f <<< '{version: "3.8", services: {a: {image: "busybox:local", container_name: c, links: [b], build: .}}}'
sh_ 'docker stack rm x-st | sort'
run docker stack deploy -d -c s.yml 'x bad'
run docker stack ls
