# title: docker inspect finds objects of every kind by name, id and prefix; several, mixed and missing ones
# tags: inspect
q docker service create -d --name x-one --label a=b $IMG sleep 100000
q docker network create -d overlay --subnet 10.77.71.0/24 x-net
sh_ "echo data | docker secret create --label a=b x-sec - >/dev/null; echo data | docker config create x-con - >/dev/null"
replicas x-one 1/1
run docker inspect x-one --format '{{.Spec.Name}} {{index .Spec.Labels "a"}}'
run docker inspect x-net --format '{{.Name}} {{.Scope}} {{.Driver}} {{json .IPAM.Config}} {{json .Containers}} {{json .Options}} {{json .Labels}}'
run docker inspect x-sec --format '{{.Spec.Name}}'
run docker inspect x-con --format '{{.Spec.Name}}'
run docker inspect --type service x-net
run docker inspect --type network x-one
run docker inspect --type node x-one
run docker inspect --type secret x-one
run docker inspect --type config x-sec
run docker inspect --type bogus x-one
run docker inspect x-one x-net x-nosuch --format '{{.ID}}'
run docker inspect $NODE --format '{{.Spec.Role}}'
run docker inspect self
run docker service inspect x-one x-nosuch x-other --format '{{.Spec.Name}}'
run docker node inspect self x-nosuch --format '{{.Spec.Role}}'
run docker secret inspect x-sec x-nosuch --format '{{.Spec.Name}}'
run docker config inspect x-con x-nosuch --format '{{printf "%s" .Spec.Data}}'
run docker network inspect x-net x-nosuch --format '{{.Name}}'
sh_ "docker service inspect --format '{{json .}}' x-one | python3 -c 'import json,sys; s=json.load(sys.stdin); print(sorted(s)); print(sorted(s[\"Spec\"])); print(sorted(s[\"Spec\"][\"TaskTemplate\"]))'"
sh_ "docker inspect \$(docker service ps -q x-one) | python3 -c 'import json,sys; [t]=json.load(sys.stdin); print(sorted(t)); print(sorted(t[\"Status\"])); print(sorted(t[\"Spec\"])); print(t[\"Labels\"], t[\"Slot\"])'"
sh_ "docker node inspect self | python3 -c 'import json,sys; [t]=json.load(sys.stdin); print(sorted(t)); print(sorted(t[\"Status\"])); print(sorted(t[\"Description\"])); print(sorted(t[\"Spec\"]), sorted(t[\"ManagerStatus\"]))'"
sh_ "docker network inspect x-net | python3 -c 'import json,sys; [t]=json.load(sys.stdin); print(sorted(t)); print(t[\"Attachable\"], t[\"Ingress\"], t[\"Internal\"], t[\"ConfigOnly\"], t[\"ConfigFrom\"], t[\"EnableIPv6\"], t[\"Peers\"] if \"Peers\" in t else None)'"
sh_ "docker secret inspect x-sec | python3 -c 'import json,sys; [t]=json.load(sys.stdin); print(sorted(t), sorted(t[\"Spec\"]))'"
sh_ "docker network ls --filter name=x-net --format '{{.Name}} {{.Driver}} {{.Scope}} {{.Internal}} {{.IPv6}} {{.Labels}}'"
q docker service create -d --name x-two --network x-net $IMG sleep 100000
replicas x-two 1/1
sh_ "docker inspect \$(docker service ps -q x-two) --format '{{range .NetworksAttachments}}{{.Network.Spec.Name}} {{json .Network.Spec.IPAMOptions}} {{.Network.DriverState.Name}} {{json .Network.IPAMOptions.Configs}} {{len .Addresses}}{{end}}'"
