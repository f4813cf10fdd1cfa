# title: info and version, as far as clients read them
# tags: system
run docker info -f '{{.Swarm.Nodes}} {{.Swarm.Managers}} {{.Swarm.LocalNodeState}} {{.Swarm.ControlAvailable}} {{len .Swarm.RemoteManagers}}'
sh_ "docker info -f '{{json .Swarm.Cluster}}' | sed -E 's/\"(TrustRoot|CertIssuerSubject|CertIssuerPublicKey)\":\"[^\"]*\"/\"\1\":X/g; s/\"(ID)\":\"[a-z0-9]{25}\"/\"\1\":ID/; s/\"Index\":[0-9]+/\"Index\":N/; s/,\"ForceRotate\":[0-9]+//; s/\"DefaultAddrPool\":\[[^]]*\]/POOL/'"
sh_ "docker info 2>/dev/null | sed -n '/^ Swarm/,/^ Runtimes/p' | grep -vE 'NodeID|ClusterID|Address|2377|Runtimes' | sed -E 's/[0-9]+ (months|days)/N \1/; s/(Force Rotate: ).*/\1N/'"
sh_ "docker system df --format '{{.Type}}'"
run docker version -f '{{.Server.Os}}'
run docker system info -f '{{.Swarm.Error}}'
run docker ps --filter name=x-nosuch -q
