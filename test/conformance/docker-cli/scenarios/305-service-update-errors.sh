# title: updates that are refused
# tags: service update error
q docker service create -d --name x-u --replicas 1 --publish 18310:80 $IMG sleep 100000
q docker network create -d overlay --subnet 10.77.9.0/24 x-net
run docker service update -d --network-rm nosuch x-u
run docker service update -d --network-add nosuch x-u
run docker service update -d --secret-add nosuch x-u
run docker service update -d --config-rm nosuch x-u
run docker service update -d --image '' x-u
run docker service update -d --limit-memory 1k x-u
run docker service update -d --constraint-add 'bogus' x-u
run docker service update -d --publish-rm 9999 x-u
run docker service update -d --publish-add 18310:81 x-u
run docker service update -d --rollback --image $IMG x-u
run docker service update -d --rollback x-u
run docker service update -d --replicas=-1 x-u
run docker service update -d --generic-resource-add gpu=x x-u
run docker service update -d --env-add =x x-u
run docker service update -d --host-add bad x-u
run docker service update -d --dns-add 300.1.1.1 x-u
run docker service scale x-u=-1
run docker service scale x-u=a
run docker service scale x-u
run docker service scale -d x-u=2 nosuch=3
run docker service rm nosuch x-u nosuch2
