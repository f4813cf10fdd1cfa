/**
 * Containers that are started by hand in attachable networks of the swarm. The engine knows nothing of them until the agent
 * makes them there: that is asked for when a container that names one is started, or connected, as Docker does it.
 */
import { isSwarmError } from '../../common/errors.ts';
import { TASK_LABEL } from '../../common/task-label.ts';
import { plainError, HttpError } from '../http-error.ts';
import type { LocalNode } from '../ports.ts';
import type { Engine, EngineCaller } from './engine.ts';
import { LocalNetworks, NAMES_OF_ENGINES } from './local-networks.ts';

/** What is read of `GET /containers/{id}/json`. */
interface Container {
  readonly Id: string;
  readonly Name: string;
  readonly State: { readonly Running: boolean };
  readonly HostConfig: { readonly AutoRemove?: boolean };
  readonly Config: { readonly Labels?: Readonly<Record<string, string>> | null };
  readonly NetworkSettings: { readonly Networks?: Readonly<Record<string, Endpoint | null>> | null };
}

/** Settings of a container in a network; the rest is passed on unseen. */
export interface Endpoint {
  readonly IPAMConfig?: { readonly IPv4Address?: string } | null;
  readonly Aliases?: readonly string[] | null;
  readonly DriverOpts?: Readonly<Record<string, string>> | null;
}

/** A place in a network of the swarm: what to tell the engine, and how to give it up. */
interface Joined {
  /** Name of the network. */
  readonly network: string;
  readonly settings: Endpoint;
  readonly undo: () => Promise<void>;
}

const SHORT_ID = 12;

/** Marks a place whose address the managers chose; its value says nothing. */
const CHOSEN = 'swarmd.address.chosen';

type Attacher = Pick<LocalNode, 'info' | 'attachContainer' | 'detachContainer' | 'findNameServer'>;

export class Attachments {
  readonly #engine: Engine;
  readonly #node: Attacher;

  constructor(engine: Engine, node: Attacher) {
    this.#engine = engine;
    this.#node = node;
  }

  /** Gives a container that is about to start its place in the networks of the swarm it names. Resolves with how to take that back. */
  async beforeStart(key: string, caller: EngineCaller): Promise<() => Promise<void>> {
    const container = await this.#inspect(key, caller);
    // Containers of tasks have their networks already.
    if (!container || container.State.Running || container.Config.Labels?.[TASK_LABEL] !== undefined) return NOTHING;
    const attached: Joined[] = [];
    const undo = async (): Promise<void> => {
      for (const joined of attached) await joined.undo();
    };
    try {
      for (const [network, endpoint] of Object.entries(container.NetworkSettings.Networks ?? {})) {
        if (!(await this.#isSwarms(network, caller))) continue;
        const joined = await this.#attach(container, network, endpoint ?? {});
        if (joined === undefined) continue;
        attached.push(joined);
        await this.#replaceEndpoint(container.Id, network, joined, caller);
      }
      return undo;
    } catch (error) {
      await undo();
      // As the engine does when a start fails; clients wait for it.
      if (container.HostConfig.AutoRemove) await this.#engine.ask('DELETE', `/containers/${container.Id}?v=1`, caller);
      throw error;
    }
  }

  /**
   * The engine takes an address only anew.
   * @param named how the container names the network, which may be by its id
   */
  async #replaceEndpoint(
    container: string,
    named: string,
    { network, settings }: Joined,
    caller: EngineCaller,
  ): Promise<void> {
    await this.#tell(named, 'disconnect', { Container: container, Force: true }, caller);
    const status = await this.#tell(network, 'connect', { Container: container, EndpointConfig: settings }, caller);
    if (status < 400) return;
    throw new HttpError(500, `Could not attach to network ${network}: the engine refuses it (status ${status})`);
  }

  /** How the engine is to connect a container; undefined when that is not the swarm's business. */
  async connecting(
    key: string,
    network: string,
    endpoint: Endpoint,
    caller: EngineCaller,
  ): Promise<Joined | undefined> {
    if (!(await this.#isSwarms(network, caller))) return undefined;
    const container = await this.#inspect(key, caller);
    // One that does not run yet gets its place when it starts.
    if (!container?.State.Running) return undefined;
    if (container.NetworkSettings.Networks?.[network]) {
      throw new HttpError(403, `${key} is already attached to network ${network}`);
    }
    return this.#attach(container, network, endpoint);
  }

  /**
   * Who answers names to a container that is to be made in a network; undefined when that is not the swarm's business, or
   * no manager can be asked: then it is made all the same, and finds names of its engine only.
   */
  async nameServer(network: string, caller: EngineCaller): Promise<string | undefined> {
    if (network === '' || network.startsWith('container:') || !(await this.#isSwarms(network, caller)))
      return undefined;
    return this.#node.findNameServer(network).catch(() => undefined);
  }

  async disconnected(key: string, network: string, caller: EngineCaller): Promise<void> {
    const container = await this.#inspect(key, caller);
    // It is given up with the end of the container at the latest.
    if (container) await this.#node.detachContainer({ containerId: container.Id, network }).catch(() => undefined);
  }

  /** Whether a network may be the swarm's: outside of a swarm none is, nor one that the engine has for itself. */
  async #isSwarms(network: string, caller: EngineCaller): Promise<boolean> {
    if (this.#node.info().state !== 'active' || NAMES_OF_ENGINES.has(network)) return false;
    return (await new LocalNetworks(this.#engine, caller).find(network)) === undefined;
  }

  async #attach(container: Container, network: string, endpoint: Endpoint): Promise<Joined | undefined> {
    const own = [container.Name.replace(/^\//, ''), container.Id.slice(0, SHORT_ID)];
    // One that was chosen for an earlier run may be somebody else's by now.
    const wished = endpoint.DriverOpts?.[CHOSEN] === undefined ? (endpoint.IPAMConfig?.IPv4Address ?? '') : '';
    try {
      const place = await this.#node.attachContainer({
        network,
        containerId: container.Id,
        aliases: [...new Set([...own, ...(endpoint.Aliases ?? [])])],
        address: wished,
      });
      const settings = {
        ...endpoint,
        IPAMConfig: { ...endpoint.IPAMConfig, IPv4Address: place.address },
        ...(wished === '' && { DriverOpts: { ...endpoint.DriverOpts, [CHOSEN]: '' } }),
      };
      return { network: place.network, settings, undo: () => place.undo().catch(() => undefined) };
    } catch (error) {
      if (isSwarmError(error, 'notFound')) return undefined;
      const { status, message } = plainError(error);
      const code = isSwarmError(error, 'permissionDenied') ? 'rpc error: code = PermissionDenied desc = ' : '';
      throw new HttpError(status, `Could not attach to network ${network}: ${code}${message}`, { cause: error });
    }
  }

  async #inspect(key: string, caller: EngineCaller): Promise<Container | undefined> {
    const { json } = await this.#engine.ask('GET', `/containers/${encodeURIComponent(key)}/json`, caller);
    return json as Container | undefined;
  }

  async #tell(network: string, verb: string, body: object, caller: EngineCaller): Promise<number> {
    const path = `/networks/${encodeURIComponent(network)}/${verb}`;
    return (await this.#engine.ask('POST', path, caller, body)).status;
  }
}

const NOTHING = (): Promise<void> => Promise.resolve();
