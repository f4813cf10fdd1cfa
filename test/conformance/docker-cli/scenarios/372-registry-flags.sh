# title: images: registry flags, digests, names that cannot be, what clients warn of
# tags: service image
run docker service create -d --name x-a --with-registry-auth $IMG sleep 100000
run docker service create -d --name x-b --no-resolve-image $IMG sleep 100000
run docker service create -d --name x-c $IMG@sha256:0000000000000000000000000000000000000000000000000000000000000000 sleep 100000
run docker service create -d --name x-d Bad:Tag sleep 1
run docker service create -d --name x-e busybox: sleep 1
run docker service create -d --name x-f '' sleep 1
run docker service create -d --name x-g a@b sleep 1
run docker service create -d --name x-h registry.invalid:5000/a/b:c sleep 1
replicas x-a 1/1
insp x-a '{{.Spec.TaskTemplate.ContainerSpec.Image}}'
insp x-c '{{.Spec.TaskTemplate.ContainerSpec.Image}}'
run docker service update -d --with-registry-auth --image $IMG x-a
run docker service update -d --no-resolve-image --image other:local x-b
run docker service update -d --image Bad x-a
run docker service update -d --image '' x-a
until_ 20 "docker service ps --format '{{.CurrentState}}' x-h | grep -q ^Rejected" "rejected"
sh_ "docker service ps --no-trunc --format '{{.Error}}' x-h | head -1"
until_ 20 "docker service ps --format '{{.CurrentState}}' x-c | grep -q ^Rejected" "rejected"
sh_ "docker service ps --no-trunc --format '{{.Error}}' x-c | head -1"
sh_ "docker service ls --filter name=x- --format '{{.Name}} {{.Image}}'"
