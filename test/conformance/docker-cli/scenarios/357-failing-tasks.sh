# title: tasks that fail in several ways: exit codes, signals, user, working folder, image, memory, health
# tags: failure
n() { s=$1; shift; q docker service create -d --name x-$s --restart-condition none --stop-grace-period 1s "$@"; }
n exit $IMG sh -c 'exit 42'
n user --user nosuchuser $IMG sleep 1
n dir --workdir /etc/passwd $IMG sleep 1
n img nosuch:image sleep 1
n hlth --health-cmd 'exit 1' --health-interval 500ms --health-retries 2 $IMG sleep 100000
n cmd $IMG nosuch-command
n perm $IMG /etc/passwd
n mnt --mount type=bind,src=/nosuch/x,dst=/x $IMG sleep 1
n vol --mount type=volume,src=x-v,dst=/x,volume-driver=local,volume-opt=type=nosuch,volume-opt=device=x $IMG sleep 1
n log --log-driver nosuch $IMG sleep 1
n host --hostname 'bad host name' $IMG sleep 1
n cap --cap-add NOSUCH $IMG sleep 1
n sysctl --sysctl nosuch.key=1 $IMG sleep 1
n lopt --log-opt nosuch=1 $IMG sleep 1
for s in exit user dir img hlth cmd perm mnt vol log host cap sysctl lopt; do
until_ 15 "docker service ps --format '{{.CurrentState}}' x-$s | grep -q -E '^(Failed|Rejected|Complete|Pending)'" "$s ended"
taskstates x-$s | cut -d'|' -f3- | sed -E 's/[a-f0-9]{64}/HEX/g; s#/var/lib/docker[^ ]*|/tmp/[^ :\"]*#PATH#g; s/runc[^:]*: //'
done
