# title: names that differ in case, look like ids, or are as long as they may be
# tags: service errors
S63=$(printf 'x%.0s' $(seq 61))-a; S64=$S63"b"
for n in x-a X-A x-A 'x-a ' x_a x.a x-a- -x x--a x-1 1x é "$S63" "$S64"; do run docker service create -d -q --replicas 0 --name "$n" $IMG sleep 1; done | sed -E 's/^[a-z0-9]{25}$/ID/'
run docker service inspect X-a -f '{{.Spec.Name}}'
run docker service ps X-A
run docker service ls --filter name=X-a --format '{{.Name}}'
run docker service ls --filter name=x- --filter name=X- --format '{{.Name}}'
run docker service scale -d X-a=0
q docker service rm x_a x--a 1x "$S63"
run docker service rm X-A
echo c >f
for n in x-s X-S 'x s' x.s_-1 "$(printf 'x%.0s' $(seq 64))" "$(printf 'x%.0s' $(seq 65))" ''; do run docker secret create "$n" f; done | sed -E 's/^[a-z0-9]{25}$/ID/'
for n in x-c X-C 'x c' x.c_-1 ''; do run docker config create "$n" f; done | sed -E 's/^[a-z0-9]{25}$/ID/'
run docker secret inspect X-S -f '{{.Spec.Name}}'
run docker config inspect X-c -f '{{.Spec.Name}}'
run docker secret ls --filter name=X- --format '{{.Name}}'
q docker secret rm "$(printf 'x%.0s' $(seq 64))"
run docker secret rm X-S
for n in x-n 'x n' x/n; do run docker network create -d overlay "$n"; done | sed -E 's/^[a-z0-9]{25}$/ID/'
run docker network inspect X-n -f '{{.Name}}'
run docker network rm X-N
run docker service inspect '' -f '{{.Spec.Name}}'
run docker service rm ''
run docker service rm
