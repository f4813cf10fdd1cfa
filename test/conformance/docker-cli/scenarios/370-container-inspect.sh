# title: inspect of the containers of services, every setting
# tags: container
cat > shown.py <<'P'
import json, re, sys
VARYING = {'Id', 'Created', 'StartedAt', 'FinishedAt', 'Pid', 'ResolvConfPath', 'HostnamePath', 'HostsPath', 'LogPath', 'GraphDriver', 'SandboxID', 'SandboxKey', 'EndpointID', 'NetworkID', 'Gateway', 'IPAddress', 'MacAddress', 'IPPrefixLen', 'Image', 'AppArmorProfile', 'Log', 'IPAMConfig'}
VARYING_TEXT = ((r'\.[a-z0-9]{25}', '.TASK'), (r'/[^"]*/data/volumes/', 'VOLUMES/'), (r'"HostPort": "[3-6]\d{4}"', '"HostPort": DYNAMIC'))
def text(value):
    said = json.dumps(value)
    for pattern, instead in VARYING_TEXT: said = re.sub(pattern, instead, said)
    return said
def walk(at, value):
    if isinstance(value, dict) and value:
        for key in sorted(value): walk(f'{at}.{key}', value[key])
    elif at == '.Mounts':
        for mount in sorted(map(text, value)): print(at, mount)
    elif VARYING.isdisjoint(at.split('.')):
        print(at, text(value))
for container in json.load(sys.stdin): walk('', container)
P
shown() { sh_ "docker inspect \$(docker ps -q --filter label=com.docker.swarm.service.name=$1) | python3 shown.py"; }
q docker service create -d --name x-a $IMG sleep 100000
replicas x-a 1/1
shown x-a
q docker service create -d --name x-b --user 1:2 --workdir /tmp --env A=1 --hostname hh --host a:1.2.3.4 --dns 9.9.9.9 --dns-search ex.org --dns-option ndots:2 --tty --cap-add NET_ADMIN --cap-drop CHOWN --read-only --stop-signal SIGINT --stop-grace-period 3s --log-driver json-file --health-cmd true --health-interval 2s --health-timeout 3s --health-retries 4 --health-start-period 1s --ulimit nofile=100:200 --limit-cpu 0.5 --limit-memory 64m --limit-pids 50 --reserve-memory 16m --reserve-cpu 0.1 --mount type=tmpfs,dst=/t,tmpfs-size=1000000,tmpfs-mode=1770 --mount type=volume,src=x-vol,dst=/v,volume-label=a=b --mount type=volume,dst=/anon --mount type=bind,src=/tmp,dst=/b,ro --container-label k=v --group 5 --sysctl net.ipv4.ip_unprivileged_port_start=0 --log-opt max-size=1m --publish mode=host,target=80,published=18470 --publish mode=host,target=81,protocol=udp $IMG sleep 100000
replicas x-b 1/1
shown x-b
q docker service create -d --name x-h --network host --hostname hh --isolation default $IMG sleep 100000
replicas x-h 1/1
shown x-h
run docker volume inspect x-vol --format "{{.Name}} {{.Driver}} {{json .Labels}}"
