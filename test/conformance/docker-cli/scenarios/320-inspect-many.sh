# title: inspect of several, type mix, formats
# tags: inspect
q docker service create -d --name x-a $IMG sleep 100000
replicas x-a 1/1
run docker service inspect nosuch x-a --format '{{.Spec.Name}}'
run docker inspect --type service x-a --format '{{.Spec.Name}}'
run docker inspect x-a --format '{{.Spec.Name}}'
run docker inspect --type task nosuch
run docker inspect --type node nosuch
run docker inspect --type network nosuch
run docker inspect nosuch
run docker service inspect --pretty x-a nosuch
sh_ "docker inspect \$(docker service ps -q x-a) --format '{{.Status.State}} {{.DesiredState}} {{.Slot}} {{json .Spec.ContainerSpec.Command}} {{json .Spec.ContainerSpec.Args}} {{json .Spec.Placement}} {{json .Spec.RestartPolicy}} {{json .Spec.Resources}} {{json .GenericResources}} {{json .NetworksAttachments}}'"
run docker swarm ca --rotate --cert-expiry 1m
run docker swarm update --snapshot-interval 0
run docker swarm update --max-snapshots 0
run docker swarm update --autolock=false
run docker swarm update
run docker swarm join-token --rotate bogus
