# title: docker-py: secrets, configs, networks, nodes and the swarm, as they come back
# tags: docker-py
cat > all.py <<'P'
import json, re, docker
from docker.types import *
api = docker.from_env(timeout=60).api
def shown(value):
    text = json.dumps(value, sort_keys=True)
    text = re.sub(r'"(CreatedAt|UpdatedAt|Created)": "[^"]*"', r'"\1": T', text)
    text = re.sub(r'"(TrustRoot|CertIssuerSubject|CertIssuerPublicKey)": "[^"]*"', r'"\1": X', text)
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
for kind, create, inspect, remove, listed in (('secret', api.create_secret, api.inspect_secret, api.remove_secret, api.secrets), ('config', api.create_config, api.inspect_config, api.remove_config, api.configs)):
    made = call(kind, create, f'x-{kind}', 'data', labels={'a': 'b'})
    call('again', create, f'x-{kind}', 'data')
    call('bytes', create, f'x-{kind}2', b'\x00\xff')
    call('empty', create, f'x-{kind}3', '')
    call('name', create, 'x bad', 'data')
    call('no name', create, '', 'data')
    call('umlaut', create, 'x-\u00e4', 'data')
    call('big', create, f'x-{kind}4', b'a' * (1 << 20))
    call('inspect', inspect, made['ID'])
    call('by name', lambda: inspect(f'x-{kind}')['Spec']['Name'])
    call('by prefix', lambda: inspect(made['ID'][:8])['Spec']['Name'])
    call('unknown', inspect, 'x-nosuch')
    for f in (None, {'name': f'x-{kind}'}, {'names': f'x-{kind}'}, {'label': 'a=b'}, {'label': ['a=b', 'c']}, {'id': made['ID']}, {'id': 'nosuch'}, {'bogus': 'x'}):
        call(f'list {f}', lambda: sorted(o['Spec']['Name'] for o in listed(filters=f) if o['Spec']['Name'].startswith('x-')))
    call('remove unknown', remove, 'x-nosuch')
    call('remove', remove, made['ID'])
    call('remove again', remove, made['ID'])
call('driver', api.create_secret, 'x-drv', 'data', driver=DriverConfig('nosuch'))
call('template', api.create_config, 'x-tpl', 'data', templating={'Name': 'golang'})
print(shown(api.inspect_config('x-tpl')))
n = call('network', api.create_network, 'x-n', driver='overlay', options={'encrypted': ''}, ipam=IPAMConfig(driver='default', pool_configs=[IPAMPool(subnet='10.77.66.0/24', iprange='10.77.66.0/25', gateway='10.77.66.1')]), internal=True, labels={'a': 'b'}, attachable=True, scope='swarm', check_duplicate=True)
found = api.inspect_network(n['Id'])
found['Options'].pop('com.docker.network.driver.overlay.vxlanid_list', None)
print(shown(found))
call('verbose', lambda: sorted(api.inspect_network(n['Id'], verbose=True)))
call('again', api.create_network, 'x-n', driver='overlay')
call('ingress', api.create_network, 'x-i', driver='overlay', ingress=True)
call('attachable ingress', api.create_network, 'x-i', driver='overlay', ingress=True, attachable=True)
call('unknown', api.inspect_network, 'x-nosuch')
call('scope', api.inspect_network, 'x-n', scope='local')
call('swarm scope', lambda: api.inspect_network('x-n', scope='swarm')['Name'])
for f in ({'name': 'x-n'}, {'driver': 'overlay', 'name': 'x-n'}, {'scope': 'swarm', 'name': 'x-n'}, {'type': 'custom', 'name': 'x-n'}, {'label': 'a=b'}, {'id': 'nosuch'}, {'type': 'bogus'}, {'bogus': 'x'}):
    call(f'list {f}', lambda: sorted(o['Name'] for o in api.networks(filters=f)))
call('by ids', lambda: [o['Name'] for o in api.networks(ids=[n['Id']])])
call('connect', api.connect_container_to_network, 'nosuch', 'x-n')
call('remove unknown', api.remove_network, 'x-nosuch')
call('remove', api.remove_network, 'x-n')
call('prune', api.prune_networks, filters={'label': 'x-none'})
[node] = api.nodes()
call('nodes', lambda: sorted(node))
call('description', lambda: sorted(node['Description']))
call('node spec', lambda: node['Spec'])
call('status', lambda: sorted(node['Status']))
call('unknown node', api.inspect_node, 'nosuch')
call('update node', api.update_node, node['ID'], node['Version']['Index'], {'Availability': 'active', 'Role': 'manager', 'Labels': {'x.a': 'b'}, 'Name': 'x-named'})
call('spec', lambda: api.inspect_node(node['ID'])['Spec'])
call('by node name', lambda: api.nodes(filters={'name': 'x-named'})[0]['Spec']['Name'])
v = api.inspect_node(node['ID'])['Version']['Index']
call('role', api.update_node, node['ID'], v, {'Availability': 'active', 'Role': 'bogus'})
call('availability', api.update_node, node['ID'], v, {'Availability': 'bogus', 'Role': 'manager'})
call('no role', api.update_node, node['ID'], v, {'Availability': 'active'})
call('stale node', api.update_node, node['ID'], 1, {'Availability': 'active', 'Role': 'manager'})
call('demote', api.update_node, node['ID'], v, {'Availability': 'active', 'Role': 'worker'})
call('rm node', api.remove_node, node['ID'])
call('rm node force', api.remove_node, node['ID'], True)
call('rm unknown', api.remove_node, 'nosuch')
for f in ({'id': node['ID']}, {'role': 'worker'}, {'node.label': 'x.a=b'}, {'label': 'z'}, {'name': 'nosuch'}, {'bogus': 'x'}):
    call(f'nodes {f}', lambda: len(api.nodes(filters=f)))
call('back', api.update_node, node['ID'], api.inspect_node(node['ID'])['Version']['Index'], {'Availability': 'active', 'Role': 'manager', 'Labels': {}})
swarm = api.inspect_swarm()
swarm['JoinTokens'] = sorted(swarm['JoinTokens'])
print(shown(swarm))
call('key', api.get_unlock_key)
call('init', api.init_swarm, '127.0.0.1')
call('join', api.join_swarm, ['127.0.0.1:1'], 'x')
call('leave', api.leave_swarm)
call('unlock', api.unlock_swarm, 'SWMKEY-1-x')
spec = dict(swarm['Spec'])
def update(label, **changes):
    s = api.inspect_swarm()
    call(label, api.update_swarm, s['Version']['Index'], swarm_spec={**s['Spec'], **changes})
update('history', Orchestration={'TaskHistoryRetentionLimit': 7})
update('negative', Orchestration={'TaskHistoryRetentionLimit': -1})
update('cert', CAConfig={'NodeCertExpiry': 1000})
update('heartbeat', Dispatcher={'HeartbeatPeriod': 1000})
update('labels', Labels={'a': 'b'})
update('named', Name='other')
update('external', CAConfig={'NodeCertExpiry': 7776000000000000, 'ExternalCAs': [{'Protocol': 'bogus', 'URL': 'https://127.0.0.1'}]})
call('stale', api.update_swarm, 1, swarm_spec=spec)
print(shown(api.inspect_swarm()['Spec']))
update('restore', **spec)
P
/usr/bin/python3 -W ignore all.py 2>&1
