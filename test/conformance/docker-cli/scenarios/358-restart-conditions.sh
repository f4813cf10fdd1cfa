# title: restart conditions and attempts with tasks that end well and badly
# tags: restart
r() { s=$1; shift; q docker service create -d --name x-$s --restart-delay 100ms "$@"; }
r none --restart-condition none $IMG true
r fail0 --restart-condition on-failure $IMG true
r fail2 --restart-condition on-failure --restart-max-attempts 2 $IMG false
r any2 --restart-condition any --restart-max-attempts 2 $IMG true
r win --restart-condition any --restart-max-attempts 1 --restart-window 1h $IMG false
for s in none fail0; do until_ 20 "docker service ps --format '{{.CurrentState}}' x-$s | grep -q ^Complete" "$s"; done
for s in fail2 any2; do until_ 20 "[ \$(docker service ps -q x-$s | wc -l) = 3 ]" "$s"; done
until_ 20 "[ \$(docker service ps -q x-win | wc -l) = 2 ]" "win"
sleep 2
for s in none fail0 fail2 any2 win; do counts x-$s; docker service ls --filter name=x-$s --format '{{.Name}} {{.Replicas}}'; done
sh_ "docker service ps --no-trunc --format '{{.Name}}|{{.Error}}' x-fail2"
sh_ "docker inspect \$(docker service ps -q x-fail2 | head -1) --format '{{.Status.State}} {{.Status.Message}} {{.Status.Err}} {{.Status.ContainerStatus.ExitCode}} {{.DesiredState}} {{json .Status.PortStatus}}'"
