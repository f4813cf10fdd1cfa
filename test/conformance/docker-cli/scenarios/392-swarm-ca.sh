# title: swarm ca: roots that are brought, good and bad, and what clients see of them
# tags: swarm
# timeout: 180
ca() { openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days ${2:-4000} -subj /CN=x-$1 -keyout $1.key -out $1.pem 2>/dev/null; }
ca one; ca two; ca brief 300
cat one.pem two.pem >both.pem
echo nonsense >none.pem
run docker swarm ca --rotate --ca-key one.key
run docker swarm ca --ca-cert one.pem
run docker swarm ca --rotate -d --ca-cert one.pem
run docker swarm ca --rotate -d --ca-cert brief.pem --ca-key brief.key
run docker swarm ca --rotate -d --ca-cert both.pem --ca-key one.key
run docker swarm ca --rotate -d --ca-cert nosuch.pem --ca-key one.key
run docker swarm ca --rotate -d --ca-cert none.pem --ca-key one.key
done_() { until_ 60 "! docker info -f '{{.Swarm.Cluster.RootRotationInProgress}}' | grep -q true" "rotation is over"; }
done_
q docker swarm ca --rotate -d --ca-cert one.pem --ca-key one.key
done_
sh_ "docker swarm ca | cmp - one.pem && echo the same"
sh_ "docker swarm ca --rotate --quiet --ca-cert one.pem --ca-key one.key | cmp - one.pem && echo the same"
sh_ "docker node ls --format '{{.TLSStatus}}'"
run docker swarm update --task-history-limit 5
done_
sh_ "docker swarm ca | cmp - one.pem && echo the same"
q docker swarm ca --rotate -d
done_
sh_ "docker swarm ca | cmp -s - one.pem || echo another"
run docker swarm ca --rotate --cert-expiry 30m
run docker swarm ca --cert-expiry 2h
run docker swarm ca --external-ca protocol=bogus,url=https://127.0.0.1:1
run docker swarm ca --rotate --external-ca url=https://127.0.0.1:1
run docker swarm ca extra
