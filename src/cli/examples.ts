/** Examples of every command, as its help and the reference show them. */
import type { Command } from 'commander';

export const EXAMPLES: Readonly<Record<string, readonly string[]>> = {
  service: ['swarmctl service ls', 'swarmctl service create --help'],
  'service create': [
    'swarmctl service create --name web --replicas 3 host python3 -m http.server 8080',
    'swarmctl service create --name db --constraint node.labels.disk==ssd --reserve-memory 1g postgres:16',
    'swarmctl service create --name batch --strategy binpack --replicas 20 --reserve-cpu 0.5 worker:latest',
  ],
  'service ls': ['swarmctl service ls', 'swarmctl service ls --watch', 'swarmctl service ls --filter name=web -q'],
  'service ps': ['swarmctl service ps web', 'swarmctl service ps web --filter desired-state=running --watch'],
  'service inspect': ['swarmctl service inspect web', 'swarmctl service inspect --format "{{json .Spec.Mode}}" web'],
  'service update': [
    'swarmctl service update --image web:2 --update-parallelism 2 web',
    'swarmctl service update --env-add LEVEL=debug --env-rm OLD web',
    'swarmctl service update --force web',
    'swarmctl service update --dry-run --reserve-cpu 2 web',
  ],
  'service scale': ['swarmctl service scale web=5 worker=20', 'swarmctl service scale --detach web=0'],
  'service rollback': ['swarmctl service rollback web'],
  'service rm': ['swarmctl service rm web worker'],
  'service logs': [
    'swarmctl service logs --follow --tail 20 web',
    'swarmctl service logs --follow web worker db',
    'swarmctl service logs --since 10m --timestamps --raw web',
  ],
  'service explain': ['swarmctl service explain web', 'swarmctl service explain web --output json'],
  top: ['swarmctl top', 'swarmctl top web --watch', 'swarmctl top --node worker-1 --output json'],
  plan: ['swarmctl plan scale web=10'],
  'plan create': ['swarmctl plan create --name db --reserve-memory 4g --replicas 3 postgres:16'],
  'plan update': ['swarmctl plan update --constraint-add node.labels.zone==a web'],
  'plan scale': ['swarmctl plan scale web=10', 'swarmctl plan scale --output json web=10'],
  stack: ['swarmctl stack deploy -c compose.yaml shop', 'swarmctl stack ls'],
  'stack deploy': [
    'swarmctl stack deploy -c compose.yaml shop',
    'swarmctl stack deploy -c compose.yaml -c production.yaml --prune shop',
    'swarmctl stack deploy -c compose.yaml --dry-run shop',
  ],
  'stack ls': ['swarmctl stack ls'],
  'stack ps': ['swarmctl stack ps shop', 'swarmctl stack ps shop --filter desired-state=running'],
  'stack services': ['swarmctl stack services shop --watch'],
  'stack rm': ['swarmctl stack rm shop', 'swarmctl stack rm --detach shop blog'],
  'stack config': ['swarmctl stack config -c compose.yaml -c production.yaml'],
  task: ['swarmctl task ls'],
  'task ls': ['swarmctl task ls --filter desired-state=running', 'swarmctl task ls --watch --output json'],
  'task inspect': ['swarmctl task inspect --format "{{.Status.Err}}" 5d1jnwvrc8ld'],
  'task logs': ['swarmctl task logs --timestamps 5d1jnwvrc8ld'],
  secret: ['swarmctl secret ls'],
  'secret create': ['printf %s "$PASSWORD" | swarmctl secret create db-password -'],
  'secret ls': ['swarmctl secret ls --format "table {{.ID}}\\t{{.Name}}"'],
  'secret inspect': ['swarmctl secret inspect db-password'],
  'secret rm': ['swarmctl secret rm db-password'],
  config: ['swarmctl config ls'],
  'config create': ['swarmctl config create --label app=web web.conf ./web.conf'],
  'config ls': ['swarmctl config ls --filter name=web'],
  'config inspect': ['swarmctl config inspect web.conf'],
  'config rm': ['swarmctl config rm web.conf'],
  network: ['swarmctl network ls'],
  'network create': ['swarmctl network create --subnet 10.5.0.0/24 back', 'swarmctl network create --attachable front'],
  'network ls': ['swarmctl network ls --filter driver=overlay'],
  'network inspect': ['swarmctl network inspect back'],
  'network prune': ['swarmctl network prune --yes', 'swarmctl network prune --filter until=24h'],
  'network rm': ['swarmctl network rm back front'],
  swarm: ['swarmctl swarm join-token worker'],
  'swarm init': ['swarmctl swarm init --advertise-addr 10.0.0.1', 'swarmctl swarm init --strategy binpack'],
  'swarm join': ['swarmctl swarm join --token SWMTKN-1-… 10.0.0.1:2377'],
  'swarm leave': ['swarmctl swarm leave', 'swarmctl swarm leave --force'],
  'swarm join-token': ['swarmctl swarm join-token worker', 'swarmctl swarm join-token --rotate --quiet manager'],
  'swarm update': [
    'swarmctl swarm update --strategy spread --task-history-limit 3',
    'swarmctl swarm update --autolock on',
  ],
  'swarm ca': ['swarmctl swarm ca > root.pem', 'swarmctl swarm ca --rotate'],
  'swarm unlock': ['swarmctl swarm unlock', 'swarmctl swarm unlock < unlock-key.txt'],
  'swarm unlock-key': ['swarmctl swarm unlock-key', 'swarmctl swarm unlock-key --rotate --quiet'],
  node: ['swarmctl node ls'],
  'node ls': ['swarmctl node ls', 'swarmctl node ls --watch', 'swarmctl node ls --filter role=manager'],
  'node ps': ['swarmctl node ps', 'swarmctl node ps w1', 'swarmctl node ps w1 w2 --filter desired-state=running'],
  'node inspect': ['swarmctl node inspect --format "{{.Status.State}}" w1'],
  'node update': ['swarmctl node update --availability drain w1', 'swarmctl node update --label-add zone=a w1'],
  'node promote': ['swarmctl node promote w1 w2'],
  'node demote': ['swarmctl node demote m3'],
  'node rm': ['swarmctl node rm w3', 'swarmctl node rm --force w3'],
  info: ['swarmctl info', 'swarmctl info --format "{{.Swarm.NodeID}}"'],
  status: ['swarmctl status', 'swarmctl status --output json'],
  events: ['swarmctl events --filter type=service', 'swarmctl events --since 10m --until 0s --output json'],
  context: ['swarmctl context ls', 'swarmctl context use production'],
  'context create': [
    'swarmctl context create --host unix:///run/swarmd.sock --use local',
    'swarmctl context create --host https://10.0.0.1:2376 --tls-ca ca.pem --tls-cert cert.pem --tls-key key.pem production',
  ],
  'context ls': ['swarmctl context ls'],
  'context show': ['swarmctl context show', 'swarmctl context show --context production'],
  'context use': ['swarmctl context use production', 'swarmctl context use'],
  'context rm': ['swarmctl context rm production'],
  doctor: ['swarmctl doctor', 'swarmctl doctor --output json'],
  completion: [
    'source <(swarmctl completion bash)',
    'swarmctl completion fish > ~/.config/fish/completions/swarmctl.fish',
  ],
};

/** Name of a command below the program, for example "service create". */
export const pathOf = (command: Command): string =>
  command.parent ? `${pathOf(command.parent)} ${command.name()}`.trim() : '';

/** Adds to each command below this one what {@link EXAMPLES} says. */
export function addExamples(command: Command): void {
  for (const child of command.commands) {
    const lines = EXAMPLES[pathOf(child)];
    if (lines) child.addHelpText('after', `\nExamples:\n${lines.map((line) => `  ${line}`).join('\n')}\n`);
    addExamples(child);
  }
}
