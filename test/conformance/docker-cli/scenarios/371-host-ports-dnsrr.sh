# title: ports in host mode beside each endpoint mode, as service, task and node show them
# tags: ports inspect node
endpoint() { run docker service inspect $1 --format '{{json .Spec.EndpointSpec}} {{json .Endpoint}}'; }
q docker service create -d --name x-d --endpoint-mode dnsrr --publish mode=host,target=80,published=18471 $IMG sleep 100000
replicas x-d 1/1
endpoint x-d
sh_ "docker inspect \$(docker service ps -q x-d) --format '{{json .Status.PortStatus}} {{json .NetworksAttachments}} {{json .Spec.Networks}}'"
q docker service create -d --name x-v --endpoint-mode vip --publish mode=host,target=80 $IMG sleep 100000
replicas x-v 1/1
endpoint x-v
q docker service create -d --name x-p --endpoint-mode dnsrr $IMG sleep 100000
endpoint x-p
q docker network create -d overlay --attachable --subnet 10.77.70.0/24 x-n
q docker service create -d --name x-n --endpoint-mode dnsrr --network x-n --publish mode=host,target=80,published=18472 $IMG sleep 100000
replicas x-n 1/1
endpoint x-n
q docker service update -d --publish-rm published=18472,target=80,mode=host x-n
sleep 1
endpoint x-n
sh_ "docker node inspect --pretty self | grep -v -E '^ (CPUs|Memory|Address)' | sed '/BEGIN/,/END/d; /Issuer Public Key/d; /Joined at/d; /Issuer Subject/d'"
sh_ "docker top \$(docker service ps -q --no-trunc x-p)"
sh_ "docker top \$(docker service ps --no-trunc --format '{{.Name}}.{{.ID}}' x-p) -o comm"
sh_ "docker logs \$(docker service ps -q --no-trunc x-p) 2>&1 | sed -E 's/[a-z0-9]{25}/ID/'"
