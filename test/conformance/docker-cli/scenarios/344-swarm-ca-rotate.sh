# title: rotating the certificate authority with progress; tokens change with it
# tags: swarm
A=$(docker swarm join-token -q worker); CA=$(docker swarm ca)
sh_ "timeout 60 docker swarm ca --rotate | grep -v -E '^(desired|rotated|  | *[0-9]+ of|\[)' | sed -E '/BEGIN/,/END/d'"
B=$(docker swarm join-token -q worker); CB=$(docker swarm ca)
[ "$A" != "$B" ] && echo "token changed"; [ "$CA" != "$CB" ] && echo "root changed"
until_ 30 "docker node ls --filter id=$NODE --format '{{.TLSStatus}}' | grep -q Ready" "ready"
sh_ "docker info -f '{{.Swarm.Cluster.RootRotationInProgress}}'"
