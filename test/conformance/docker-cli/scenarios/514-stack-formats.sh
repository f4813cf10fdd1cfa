# title: stacks: formats, filters and orders of stack ls, services and ps
# tags: stack format filter
# timeout: 200
cat > s.yml <<'Y'
version: "3.8"
services:
  web: {image: "busybox:local", command: "sleep 100000", stop_grace_period: 1s, ports: ["18620:80"], deploy: {replicas: 2, labels: {a: b}}}
  each: {image: "busybox:local", command: "sleep 100000", stop_grace_period: 1s, deploy: {mode: global}}
  bad: {image: "busybox:local", command: "false", deploy: {restart_policy: {condition: none}}}
  job: {image: "busybox:local", command: "true", deploy: {mode: replicated-job, replicas: 2}}
  zero: {image: "busybox:local", command: "true", deploy: {replicas: 0}}
Y
q docker stack deploy -d -c s.yml x-fo
q docker stack deploy -d -c s.yml --resolve-image always x-fo
printf 'services: {a: {image: "busybox:local", command: "sleep 100000", networks: [hostnet]}}\nnetworks: {hostnet: {external: true, name: host}}\nversion: "3.8"\n' > t.yml
q docker stack deploy -d -c t.yml x-fo10
q docker stack deploy -d -c t.yml x-fo2
replicas x-fo_web 2/2; replicas x-fo_each 1/1; until_ 20 "docker service ls --filter name=x-fo_job --format '{{.Replicas}}' | grep -q '2/2 comp'" "job is done"
until_ 20 "docker service ps x-fo_bad --format '{{.CurrentState}}' | grep -q Failed" failed
for t in 'table {{.Name}}\t{{.Services}}' json '{{json .}}' '{{.Name}} {{.Bogus}}' table '{{upper .Name}}'; do run docker stack ls --format "$t"; done
for t in 'table {{.Name}}\t{{.Ports}}' json '{{json .}}' '{{.Bogus}}' 'table' '{{.Name}} {{.Mode}} {{.Replicas}} {{.Image}} {{.Ports}}'; do sh_ "docker stack services --format '$t' x-fo | sed -E 's/\"ID\":\"[^\"]*\"/ID/; s/^[a-z0-9]{12} /ID /' | sort"; done
for f in name=web name=x-fo_web name=x-fo label=a label=a=b label=a=c mode=global mode=replicated-job mode=bogus id=nosuch desired-state=running; do run docker stack services -q --filter $f x-fo | sed 's/^[a-z0-9]\{12\}$/ID/'; done
for t in 'table {{.Name}}\t{{.Error}}' 'json' '{{json .}}' '{{.Bogus}}'; do sh_ "docker stack ps --format '$t' x-fo | sed -E 's/(Running|Complete|Failed) [^\"]* ago/AGO/; s/\"ID\":\"[^\"]*\"/ID/; s/x-fo_each\.[0-9a-z]*/x-fo_each.N/' | sort"; done
for f in name=web name=x-fo_web name=x-fo_web.1 name=st id=nosuch desired-state=running desired-state=shutdown desired-state=complete desired-state=accepted desired-state=ready desired-state=remove desired-state=bogus node=self node=nosuch "node=$NODE" label=a service=x-fo_web; do echo "-- $f"; docker stack ps --filter $f --format '{{.Name}} {{.DesiredState}}' x-fo 2>&1 | sed -E 's/x-fo_each\.[0-9a-z]*/x-fo_each.N/' | sort; done
run docker stack ps --filter name=web --filter desired-state=shutdown --filter desired-state=running --format '{{.Name}}' x-fo
sh_ "docker stack ps --no-resolve --no-trunc --format '{{.Name}} {{.Node}} {{.Image}}' x-fo | sed -E 's/^[a-z0-9]{25}/ID/' | sort"
sh_ "docker stack ps x-fo | tail -n +2 | awk '{print \$2}' | sed -E 's/x-fo_each\.[0-9a-z]*/x-fo_each.N/'"
sh_ "docker stack services x-fo | tail -n +2 | awk '{print \$2}'"
run docker stack ls
sh_ "docker stack rm x-fo x-fo2 x-fo10 x-nosuch | sort"
sh_ "docker stack ls --format '{{.Name}}'"
