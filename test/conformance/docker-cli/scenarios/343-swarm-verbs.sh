# title: swarm: every verb with bad and good arguments, on a manager
# tags: swarm error
run docker swarm init --advertise-addr bogus
run docker swarm init --force-new-cluster --availability bogus
run docker swarm join
run docker swarm join 127.0.0.1:2377
run docker swarm join --token bogus 127.0.0.1:2377
run docker swarm update --cert-expiry 30m
run docker swarm update --cert-expiry bogus
run docker swarm update --dispatcher-heartbeat 0s
run docker swarm update --dispatcher-heartbeat -1s
run docker swarm update --task-history-limit -1
run docker swarm update --max-snapshots 3 --snapshot-interval 20000 --dispatcher-heartbeat 6s --cert-expiry 100h --task-history-limit 4
sh_ "docker info -f '{{json .Swarm.Cluster.Spec}}'"
q docker swarm update --max-snapshots 0 --snapshot-interval 10000 --dispatcher-heartbeat 5s --cert-expiry 2160h --task-history-limit 5
run docker swarm update --external-ca bogus
run docker swarm update --external-ca protocol=bogus,url=https://127.0.0.1
run docker swarm update --external-ca protocol=cfssl
run docker swarm update extra
run docker swarm update --autolock=true
sh_ "docker swarm unlock-key | sed -E 's/SWMKEY-1-[^ ]+/KEY/'"
sh_ "docker swarm unlock-key -q | cut -c1-9"
sh_ "A=\$(docker swarm unlock-key -q); B=\$(docker swarm unlock-key -q --rotate); [ \$A != \$B ] && echo rotated"
sh_ "docker swarm unlock-key --rotate | sed -E 's/SWMKEY-1-[^ ]+/KEY/'"
sh_ "echo x | docker swarm unlock"
run docker info -f '{{.Swarm.LocalNodeState}} {{.Swarm.Cluster.Spec.EncryptionConfig.AutoLockManagers}}'
run docker swarm update --autolock=false
run docker swarm unlock-key
run docker swarm unlock-key -q
run docker swarm unlock-key --rotate
run docker swarm join-token
run docker swarm join-token worker manager
sh_ "docker swarm join-token manager | sed -E 's/SWMTKN[^ ]+/TOKEN/; s/[0-9.]+:2377/ADDR/'"
sh_ "docker swarm join-token --rotate manager | sed -E 's/SWMTKN[^ ]+/TOKEN/; s/[0-9.]+:2377/ADDR/'"
run docker swarm leave extra
run docker swarm leave
run docker swarm ca --external-ca bogus
run docker swarm ca --cert-expiry 1h
run docker swarm ca --ca-cert nosuch --rotate
sh_ "echo bad > c.pem; docker swarm ca --rotate --ca-cert c.pem"
sh_ "docker swarm ca | head -1"
sh_ "docker swarm ca --rotate -q | head -1"
sh_ "docker swarm ca --rotate -d"
