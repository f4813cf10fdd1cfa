# title: stacks: jobs, global services, files as secrets and configs, changes of each, waiting, several files
# tags: stack
mkdir d; printf one > d/one; printf two > d/two
cat > s.yml <<'Y'
version: "3.8"
services:
  web: {image: "busybox:local", command: "sleep 100000", stop_grace_period: 1s, secrets: [s1, {source: s2, target: t2, uid: "5", gid: "6", mode: 0400}], configs: [c1, {source: c2, target: /c2, mode: 0444}], deploy: {replicas: 1, update_config: {monitor: 300ms}}}
  each: {image: "busybox:local", command: "sleep 100000", stop_grace_period: 1s, deploy: {mode: global}}
  job: {image: "busybox:local", command: "echo done", deploy: {mode: replicated-job, replicas: 2}}
  gjob: {image: "busybox:local", command: "echo done", deploy: {mode: global-job}}
secrets: {s1: {file: ./d/one}, s2: {file: d/two, name: x-named, labels: {a: b}}}
configs: {c1: {file: ./d/one}, c2: {file: ./d/two, labels: {c: d}}}
Y
sh_ "docker stack deploy -d -c s.yml x-st 2>&1 | sort"
replicas x-st_web 1/1; replicas x-st_each 1/1
until_ 20 "docker service ls --filter name=x-st_job --format '{{.Replicas}}' | grep -qF '(2/2 completed)'" "job is done"
until_ 20 "docker service ls --filter name=x-st_gjob --format '{{.Replicas}}' | grep -qF '(1/1 completed)'" "global job is done"
run docker stack services x-st --format '{{.Name}} {{.Mode}} {{.Replicas}}'
sh_ "docker stack ps x-st --format '{{.Name}} {{.DesiredState}} {{.Error}}' | sed -E 's/\.[a-z0-9]{25}/.NODE/' | sort"
sh_ "docker secret ls --filter name=x- --format '{{.Name}}' | sort; docker config ls --filter name=x- --format '{{.Name}}' | sort"
run docker secret inspect x-named -f '{{json .Spec.Labels}}'
insp x-st_web '{{range .Spec.TaskTemplate.ContainerSpec.Secrets}}{{.SecretName}} {{json .File}} {{end}}{{range .Spec.TaskTemplate.ContainerSpec.Configs}}{{.ConfigName}} {{json .File}} {{end}}'
sh_ "docker stack deploy -d -c s.yml x-st 2>&1 | sort"
sleep 1
insp x-st_web '{{if .UpdateStatus}}{{.UpdateStatus.State}}{{else}}untouched{{end}}'
sh_ "docker stack deploy --detach=false -c s.yml x-st 2>&1 | grep -vE '^(overall|[0-9]+/|[a-z0-9]{12,25}:|job |active|verify: Wait)' | sed -E 's/\(id: [a-z0-9]+\)/(id)/; s/Service [a-z0-9]{25}/Service (id)/' | sort"
printf changed > d/one
sh_ "docker stack deploy -d -c s.yml x-st 2>&1 | sort"
cat > o.yml <<'Y'
version: "3.8"
services: {web: {deploy: {replicas: 2}, environment: {O: "1"}}, extra: {image: "busybox:local", command: "sleep 100000", stop_grace_period: 1s}}
Y
printf one > d/one
sh_ "docker stack deploy -d -c s.yml -c o.yml x-st 2>&1 | sort"
ustate x-st_web completed; settled x-st_web 2; replicas x-st_extra 1/1
sh_ "docker stack deploy -d --prune -c s.yml x-st 2>&1 | sort"
sh_ "docker service ls --filter name=x-st --format '{{.Name}}' | sort"
sh_ "docker stack deploy -d --resolve-image never -c s.yml x-st 2>&1 | sort"
run docker stack deploy -d --resolve-image bogus -c s.yml x-st
sh_ "docker stack deploy -d --with-registry-auth -c s.yml x-st 2>&1 | sort"
run docker stack deploy -c nosuch.yml x-st
run docker stack deploy -d -c s.yml 'x bad'
run docker stack deploy -d x-st
run docker stack ls --format '{{.Name}} {{.Services}}'
run docker stack ps x-nosuch
run docker stack services x-nosuch
run docker stack rm x-nosuch
sh_ "docker stack rm --detach=false x-st | sort"
sh_ "docker secret ls -q --filter name=x-; docker config ls -q --filter name=x-; docker service ls -q --filter name=x-"
