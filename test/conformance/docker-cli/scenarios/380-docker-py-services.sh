# title: docker-py: every argument of a service, as it comes back
# tags: docker-py service
cat > all.py <<'P'
import json, re, time, docker
from docker.types import *
api = docker.from_env(timeout=60).api
IDS = {}
def shown(value):
    text = json.dumps(value, sort_keys=True)
    text = re.sub(r'"(CreatedAt|UpdatedAt|Timestamp)": "[^"]*"', r'"\1": T', text)
    return re.sub(r'"Index": \d+', '"Index": N', text)
def call(label, function, *args, **kwargs):
    try:
        result = function(*args, **kwargs)
        print(label, shown(result))
        return result
    except docker.errors.APIError as error:
        print(label, 'REFUSED', error.response.status_code, error.explanation)
    except Exception as error:
        print(label, 'CLIENT', type(error).__name__, error)
S = 10**9
def service(name, container=None, task=None, **rest):
    template = TaskTemplate(ContainerSpec('busybox:local', ['sleep', '100000'], **(container or {})), **(task or {}))
    made = call('create ' + name, api.create_service, template, name='x-' + name, **rest)
    if made:
        # The endpoint is filled in after the answer.
        time.sleep(0.2)
        found = api.inspect_service('x-' + name)
        print(' spec', shown(found['Spec']))
        print(' endpoint', shown(found.get('Endpoint')))
    return made
service('plain')
service('labels', labels={'a': 'b', 'e': ''})
service('c1', {'args': ['x'], 'hostname': 'h', 'env': {'A': '1'}, 'workdir': '/tmp', 'user': 'nobody', 'labels': {'l': '1'}, 'stop_grace_period': S, 'tty': True, 'open_stdin': True, 'read_only': True, 'stop_signal': 'SIGHUP', 'groups': ['a'], 'hosts': {'foo': '1.1.1.1'}, 'isolation': 'default', 'init': True})
service('c2', {'env': ['A=1', 'B'], 'init': False, 'dns_config': DNSConfig(nameservers=['1.1.1.1'], search=['a.b'], options=['ndots:1']), 'healthcheck': Healthcheck(test=['CMD', 'true'], interval=S, timeout=S, retries=2, start_period=S), 'cap_add': ['CAP_NET_ADMIN'], 'cap_drop': ['CAP_CHOWN', 'ALL']})
service('iso', {'isolation': 'hyperv'})
service('iso2', {'isolation': 'bogus'})
service('hc', {'healthcheck': Healthcheck(test='true', interval=1000)})
service('hc2', {'healthcheck': Healthcheck(test=['NONE'])})
service('hc3', {'healthcheck': Healthcheck(retries=-1, test='true')})
service('priv1', {'privileges': Privileges(selinux_disable=True)})
service('priv2', {'privileges': Privileges(selinux_user='u', selinux_role='r', selinux_type='t', selinux_level='l')})
service('priv3', {'privileges': Privileges(credentialspec_file='f.json')})
service('priv4', {'privileges': Privileges(credentialspec_registry='r')})
service('mounts', {'mounts': [Mount('/v', 'x-v', labels={'a': 'b'}, no_copy=True, driver_config=DriverConfig('local', {'o': 'p'})), Mount('/b', '/tmp', type='bind', read_only=True, propagation='rslave'), Mount('/t', None, type='tmpfs', tmpfs_size='1m', tmpfs_mode=0o700), 'x-o:/o:ro', '/tmp:/h']})
service('pipe', {'mounts': [Mount('/p', '/a', type='npipe')]})
service('res', task={'resources': Resources(cpu_limit=10**8, mem_limit=2**26, cpu_reservation=10**7, mem_reservation=2**23, generic_resources={'gpu': 0, 'ssd': 'a'})})
service('res2', task={'resources': Resources(mem_limit=1000)})
service('res3', task={'resources': Resources(cpu_limit=-1)})
for c in ('none', 'on-failure', 'any'):
    service('restart-' + c, task={'restart_policy': RestartPolicy(c, delay=5, max_attempts=3, window=60)})
call('restart-bogus', api.create_service, {'ContainerSpec': {'Image': 'busybox:local'}, 'RestartPolicy': {'Condition': 'bogus'}}, name='x-rb')
service('place', task={'placement': Placement(constraints=['node.role==manager'], preferences=[('spread', 'node.labels.z'), PlacementPreference('spread', 'node.labels.r')], platforms=[('x86_64', 'linux')], maxreplicas=2)})
service('place2', task={'placement': ['node.role==manager']})
service('place3', task={'placement': ['bad']})
service('log', task={'log_driver': {'Name': 'json-file', 'Options': {'max-file': '2'}}})
service('force', task={'force_update': 5})
service('upd', update_config=UpdateConfig(parallelism=2, delay=3, failure_action='continue', monitor=5 * S, max_failure_ratio=.5, order='start-first'), rollback_config=RollbackConfig(parallelism=0, delay=1, failure_action='pause', monitor=1, max_failure_ratio=0, order='stop-first'))
service('upd0', update_config=UpdateConfig(parallelism=0))
call('upd-bogus', api.create_service, {'ContainerSpec': {'Image': 'busybox:local'}}, name='x-ub', update_config={'FailureAction': 'bogus'})
call('upd-order', api.create_service, {'ContainerSpec': {'Image': 'busybox:local'}}, name='x-ub', update_config={'Order': 'bogus'})
service('ports', endpoint_spec=EndpointSpec(ports={18460: 80, 18461: (81, 'udp'), 18462: (82, 'tcp', 'host'), 18463: (83, 'sctp')}))
service('dnsrr', endpoint_spec=EndpointSpec(mode='dnsrr'))
service('dnsrr2', endpoint_spec=EndpointSpec(mode='dnsrr', ports={18464: 80}))
service('vip', endpoint_spec=EndpointSpec(mode='vip', ports=[{'TargetPort': 80}]))
call('mode-bogus', api.create_service, {'ContainerSpec': {'Image': 'busybox:local'}}, name='x-mb', endpoint_spec={'Mode': 'bogus'})
service('glob', mode='global')
service('rep', mode=ServiceMode('replicated', 2))
service('rep0', mode=ServiceMode('replicated', 0))
service('job', mode={'ReplicatedJob': {'TotalCompletions': 3, 'MaxConcurrent': 2}})
service('job2', mode={'ReplicatedJob': {}})
service('gjob', mode={'GlobalJob': {}})
call('two modes', api.create_service, {'ContainerSpec': {'Image': 'busybox:local'}}, name='x-tm', mode={'Replicated': {'Replicas': 1}, 'Global': {}})
call('no image', api.create_service, {'ContainerSpec': {}}, name='x-ni')
call('no container', api.create_service, {}, name='x-nc')
call('bad name', api.create_service, {'ContainerSpec': {'Image': 'busybox:local'}}, name='bad name')
unnamed = call('no name', api.create_service, {'ContainerSpec': {'Image': 'busybox:local', 'Command': ['sleep', '9']}})
if unnamed: api.remove_service(unnamed['ID'])
call('plugin', api.create_service, {'Runtime': 'plugin', 'PluginSpec': {'Name': 'p', 'Remote': 'r', 'Disabled': True}}, name='x-pl')
call('attachment', api.create_service, {'Runtime': 'attachment', 'NetworkAttachmentSpec': {'ContainerID': 'c'}}, name='x-at')
call('runtime', api.create_service, {'Runtime': 'bogus', 'ContainerSpec': {'Image': 'busybox:local'}}, name='x-ru')
secret = api.create_secret('x-sec', 'v', labels={'a': 'b'})['ID']
config = api.create_config('x-con', 'v', labels={'a': 'b'})['ID']
tconfig = call('templated', api.create_config, 'x-tcon', 'v', templating={'Name': 'golang'})
service('files', {'secrets': [SecretReference(secret, 'x-sec'), SecretReference(secret, 'x-sec', 'other', '1', '2', 0o400)], 'configs': [ConfigReference(config, 'x-con'), ConfigReference(config, 'x-con', '/a/b', '3', '4', 0o444)]})
service('files2', {'secrets': [SecretReference('nosuch', 'nosuch')]})
service('files3', {'secrets': [SecretReference(secret, 'other')]})
service('files4', {'configs': [ConfigReference('nosuch', 'nosuch')]})
net = api.create_network('x-net', driver='overlay', ipam=IPAMConfig(pool_configs=[IPAMPool(subnet='10.77.65.0/24')]))['Id']
service('net', task={'networks': [NetworkAttachmentConfig('x-net', ['al'], {'k': 'v'})]})
service('net2', task={'networks': ['x-net', net]})
service('net3', task={'networks': ['nosuch']})
service('net4', task={'networks': ['bridge']})
call('top networks', api.create_service, {'ContainerSpec': {'Image': 'busybox:local', 'Command': ['sleep', '9']}}, name='x-tn', networks=['x-net'])
print(shown(api.inspect_service('x-tn')['Spec']))
found = api.inspect_service('x-plain')
print(shown(api.inspect_service('x-plain', insert_defaults=True)['Spec']))
call('update', api.update_service, 'x-plain', found['Version']['Index'], task_template=TaskTemplate(ContainerSpec('busybox:local', ['sleep', '200000'])), name='x-plain', labels={'n': 'w'})
print(shown(api.inspect_service('x-plain')))
call('update fetch', api.update_service, 'x-plain', api.inspect_service('x-plain')['Version']['Index'], name='x-plain', mode=ServiceMode('replicated', 2), fetch_current_spec=True)
print(shown(api.inspect_service('x-plain')['Spec']))
call('rename', api.update_service, 'x-plain', api.inspect_service('x-plain')['Version']['Index'], name='x-other', fetch_current_spec=True)
call('to global', api.update_service, 'x-plain', api.inspect_service('x-plain')['Version']['Index'], name='x-plain', mode='global', fetch_current_spec=True)
call('stale', api.update_service, 'x-plain', 1, name='x-plain', fetch_current_spec=True)
call('unknown', api.update_service, 'x-nosuch', 1, name='x-nosuch')
for f in ({'name': 'x-plain'}, {'mode': 'global'}, {'label': 'n=w'}, {'id': 'nosuch'}, {'bogus': 'x'}):
    call(f'list {f}', lambda: sorted(s['Spec']['Name'] for s in api.services(filters=f)))
call('status', lambda: sorted((s['Spec']['Name'], s['ServiceStatus']['DesiredTasks']) for s in api.services(filters={'name': 'x-rep'}, status=True)))
call('inspect', api.inspect_service, 'x-nosuch')
call('rm', api.remove_service, 'x-nosuch')
call('logs', lambda: list(api.service_logs('x-nosuch', stdout=True)))
call('logs none', lambda: list(api.service_logs('x-plain')))
call('tasks bogus', api.tasks, filters={'bogus': 'x'})
call('tasks', api.tasks, filters={'service': 'x-nosuch'})
call('tasks state', api.tasks, filters={'desired-state': 'bogus'})
call('task', api.inspect_task, 'nosuch')
P
/usr/bin/python3 -W ignore all.py 2>&1
