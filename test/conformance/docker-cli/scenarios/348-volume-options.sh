# title: what a task says when its volumes and binds cannot be mounted
# tags: mount container failure
fails() {
  local name=$1; shift
  docker service create -d --name $name --restart-condition none "$@" $IMG sleep 100000 >/dev/null 2>err || { cat err; return; }
  until_ 20 "docker service ps --format '{{.CurrentState}} {{.Error}}' $name | grep -qE '^(Rejected|Failed|Running)|missing'" "$name ended"
  docker service ps --no-trunc --format '{{.CurrentState}} {{.Error}}' $name | sed -E 's/^([A-Z][a-z]+) .* ago ?/\1 /; s/[0-9a-f]{64}/HEX/g; s#/tmp/swarmd-engine-[A-Za-z0-9]+#DIR#g'
}
fails x-f1 --mount type=volume,src=x-v1,dst=/v,volume-driver=nosuch
fails x-f2 --mount type=volume,src=x-v2,dst=/v,volume-opt=bogus=1
fails x-f3 --mount type=volume,src=x-v3,dst=/v,volume-opt=type=nofs,volume-opt=device=none
fails x-f4 --mount type=bind,src=/nosuch-dir,dst=/v
fails x-f5 --mount type=bind,src=/usr,dst=/v,bind-propagation=shared
fails x-f6 --mount type=volume,src=x-v6,dst=/proc
fails x-f7 --mount type=tmpfs,dst=/dev/shm
fails x-f8 --mount type=bind,src=/etc/passwd,dst=/etc/passwd,readonly
fails x-f9 --mount type=volume,src=x/v9,dst=/v
