/** The objects of a stack, found by the label that every client of stacks puts on them. */
import { errorText, isSwarmError, SwarmError } from '../../../common/errors.ts';
import type { ApiClient } from '../../client.ts';
import { NAMESPACE_LABEL, type StackData, type StackNetwork } from '../../compose/stack-objects.ts';
import type { InfoObject, NamedObject, NetworkObject, ServiceObject, TaskObject } from '../../types.ts';

export const stackFilter = (stack: string): string => `label=${NAMESPACE_LABEL}=${stack}`;
const byStack = (stack: string): { readonly filters: string } => ({
  filters: JSON.stringify({ label: [`${NAMESPACE_LABEL}=${stack}`] }),
});

export class StackClient {
  readonly client: ApiClient;
  readonly stack: string;

  constructor(client: ApiClient, stack: string) {
    this.client = client;
    this.stack = stack;
  }

  services(): Promise<readonly ServiceObject[]> {
    return this.client.get('/services', byStack(this.stack));
  }

  networks(): Promise<readonly NetworkObject[]> {
    return this.client.get('/networks', byStack(this.stack));
  }

  data(kind: 'secret' | 'config'): Promise<readonly NamedObject[]> {
    return this.client.get(`/${kind}s`, byStack(this.stack));
  }

  tasks(): Promise<readonly TaskObject[]> {
    return this.client.get('/tasks', byStack(this.stack));
  }

  /** Throws failedPrecondition when the node that answers cannot change the swarm. */
  async requireManager(): Promise<void> {
    const { Swarm } = await this.client.get<InfoObject>('/info');
    if (Swarm.ControlAvailable) return;
    throw new SwarmError(
      'failedPrecondition',
      'this node is not a manager: name one with --host, or found a swarm with "swarmctl swarm init"',
    );
  }

  /** The swarm's network of a name. */
  network(name: string): Promise<NetworkObject | undefined> {
    return this.client
      .get<NetworkObject>(`/networks/${encodeURIComponent(name)}`, { scope: 'swarm' })
      .catch((error: unknown) => {
        if (isSwarmError(error, 'notFound')) return undefined;
        throw error;
      });
  }

  /** Throws notFound for external networks that are missing, and failedPrecondition for those of one machine. */
  async requireExternalNetworks(networks: readonly StackNetwork[]): Promise<void> {
    for (const { name } of networks.filter(({ body }) => body === undefined)) {
      if (['host', 'bridge', 'none'].includes(name)) continue;
      const found = await this.network(name);
      if (!found) {
        throw new SwarmError(
          'notFound',
          `the external network "${name}" does not exist in the swarm; create it with "swarmctl network create ${name}"`,
        );
      }
      if (found.Scope !== 'swarm') {
        throw new SwarmError(
          'failedPrecondition',
          `the external network "${name}" belongs to one machine (scope ${found.Scope}); create one in the swarm with "swarmctl network create"`,
        );
      }
    }
  }

  /** Creates it, or brings its labels up to date; resolves with what was done. Content cannot change. */
  async putData(kind: 'secret' | 'config', { name, body }: StackData): Promise<'created' | 'kept'> {
    const path = `/${kind}s`;
    const present = await this.client
      .get<NamedObject>(`${path}/${encodeURIComponent(name)}`)
      .catch((error: unknown) => {
        if (isSwarmError(error, 'notFound')) return undefined;
        throw error;
      });
    if (!present || present.Spec.Name !== name) {
      await this.client.post(`${path}/create`, undefined, body);
      return 'created';
    }
    try {
      await this.client.post(`${path}/${present.ID}/update`, { version: present.Version.Index }, body);
    } catch (error) {
      if (!isSwarmError(error, 'invalidArgument')) throw error;
      throw new SwarmError(
        'failedPrecondition',
        `${kind} ${name} has another content by now, and that cannot be changed: give the new one another name (name: in the file), for example ${name}_2 (${errorText(error)})`,
        { cause: error },
      );
    }
    return 'kept';
  }
}
