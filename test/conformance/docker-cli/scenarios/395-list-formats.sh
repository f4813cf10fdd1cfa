# title: lists in every format of the client, and filters of each kind
# tags: filter format
echo a >f
q docker secret create -l k=v x-s1 f
q docker secret create x-s2 f
q docker config create -l k=v x-c1 f
q docker config create --template-driver golang x-c2 f
q docker network create -d overlay --label k=v --attachable x-n1
q docker service create -d --name x-a --label k=v --network x-n1 -p 18201:80 -p published=18202,target=81,mode=host,protocol=udp $IMG sleep 100000
q docker service create -d --name x-j --mode replicated-job --replicas 2 --max-concurrent 1 $IMG true
q docker service create -d --name x-g --mode global $IMG sleep 100000
replicas x-a 1/1; replicas x-g 1/1
until_ 20 "docker service ls --filter name=x-j --format '{{.Replicas}}' | grep -q '2/2 comp'"
for t in 'table {{.Name}}\t{{.Mode}}\t{{.Replicas}}' '{{.Name}}|{{.Ports}}|{{.Image}}' 'json' '{{json .}}' '{{.Bogus}}' '{{' 'table' '{{upper .Name}} {{len .ID}} {{truncate .Name 2}} {{pad .Name 1 2}} {{title .Mode}} {{split .Name "-"}} {{join (split .Name "-") "+"}}' 'pretty' 'raw'; do run docker service ls --format "$t"; done
run docker service ls -q --format '{{.Name}}'
sh_ 'docker service ls -q | wc -l'
for k in secret config; do
  for t in 'table {{.Name}}\t{{.Labels}}' '{{.Name}}|{{.Label "k"}}|{{.Driver}}' 'json' '{{.CreatedAt}}' 'table' '{{.Labels}}'; do
    run docker $k ls --format "$t"
  done
  for f in label=k=v label=k id=nosuch bogus=1; do run docker $k ls --filter $f; done
  run docker $k ls -q --filter label=nosuch
  run docker $k ls --filter name=x-s --filter name=x-c
done
for t in 'table {{.Name}}\t{{.Driver}}\t{{.Scope}}' 'json' '{{.Name}} {{.Internal}} {{.IPv6}} {{.IPv4}} {{.Labels}} {{.Label "k"}}' '{{.CreatedAt}}' 'table'; do run docker network ls --filter name=x- --format "$t"; done
run docker network ls --filter driver=overlay --filter scope=swarm --filter label=k --format '{{.Name}}'
run docker network ls --filter type=custom --filter scope=swarm --format '{{.Name}}'
run docker network ls --filter type=bogus
run docker network ls --filter scope=bogus
run docker network ls --filter dangling=bogus
run docker network ls --filter dangling=true --filter dangling=false
for t in 'table {{.Hostname}}\t{{.Status}}\t{{.ManagerStatus}}' 'json' '{{.Self}} {{.Availability}} {{.TLSStatus}} {{.Hostname}}' 'table' '{{.EngineVersion | len | lt 0}}'; do run docker node ls --format "$t"; done
for f in role=manager role=worker role=bogus name=nosuch id=nosuch label=x node.label=x.y bogus=1; do run docker node ls --filter $f --format '{{.Self}}'; done
for t in 'table {{.Name}}\t{{.Node}}' 'json' '{{.Name}} {{.Ports}}' '{{.Name}} {{.Image}} {{.DesiredState}}' 'table {{.Name}}\t{{.CurrentState}}\t{{.Error}}'; do
  sh_ "docker service ps --format '$t' x-a x-g x-j | sed -E 's/(Running|Complete) [^\"]* ago/AGO/; s/\"ID\":\"[^\"]*\"/ID/; s/x-g\.[0-9a-z]*/x-g.N/' | sort"
done
