/**
 * Networks of this machine alone, which belong to the container engine. Those the agent makes there for networks of the
 * swarm are not shown: the swarm's own stand for them.
 */
import { HttpError } from '../http-error.ts';
import type { Engine, EngineCaller } from './engine.ts';

/** Every engine has networks of these names. */
export const NAMES_OF_ENGINES: ReadonlySet<string> = new Set(['bridge', 'default', 'host', 'none']);

/** Put by the docker driver on what it makes for a network of the swarm. */
const SWARM_NETWORK_LABEL = 'swarmd.network.id';

/** As the engine tells it; the rest is passed on unseen. */
export interface LocalNetwork {
  readonly Name: string;
  readonly Id: string;
  readonly Labels?: Readonly<Record<string, string>> | null;
  readonly Containers?: unknown;
}

/** Undefined on a node without an engine. */
export const localNetworks = (
  { engine }: { readonly engine: Engine | undefined },
  caller: EngineCaller,
): LocalNetworks | undefined => engine && new LocalNetworks(engine, caller);

export class LocalNetworks {
  readonly #engine: Engine;
  readonly #caller: EngineCaller;

  constructor(engine: Engine, caller: EngineCaller) {
    this.#engine = engine;
    this.#caller = caller;
  }

  /** @param filters as the client sent them, JSON; empty for none */
  async list(filters: string): Promise<readonly LocalNetwork[]> {
    const query = filters === '' ? '' : `?filters=${encodeURIComponent(filters)}`;
    const { status, json } = await this.#engine.ask('GET', `/networks${query}`, this.#caller);
    if (status >= 400)
      throw new HttpError(502, `the container engine of this node lists no networks (status ${status})`);
    return (json as readonly LocalNetwork[]).filter((network) => swarmIdOf(network) === undefined);
  }

  /** Undefined when there is none, or only one that stands for a network of the swarm. */
  async find(key: string): Promise<LocalNetwork | undefined> {
    const found = await this.#inspect(key);
    return found && swarmIdOf(found) === undefined ? found : undefined;
  }

  /** Containers of this machine on a network of the swarm; undefined where it is not used. */
  async containersOn(name: string, swarmId: string): Promise<unknown> {
    const found = await this.#inspect(name);
    return found && swarmIdOf(found) === swarmId ? found.Containers : undefined;
  }

  /** What the engine calls a network of the swarm it has; undefined when it has none of this id. */
  async nameOf(swarmId: string): Promise<string | undefined> {
    const filters = encodeURIComponent(JSON.stringify({ label: [`${SWARM_NETWORK_LABEL}=${swarmId}`] }));
    const { json } = await this.#engine.ask('GET', `/networks?filters=${filters}`, this.#caller);
    return (json as readonly LocalNetwork[] | undefined)?.[0]?.Name;
  }

  /** Removes what no container uses; the names of what was removed. */
  async prune(filters: string): Promise<readonly string[]> {
    const asked = filters === '' ? {} : (JSON.parse(filters) as Record<string, unknown>);
    const kept = { ...asked, 'label!': withValue(asked['label!'], SWARM_NETWORK_LABEL) };
    const path = `/networks/prune?filters=${encodeURIComponent(JSON.stringify(kept))}`;
    const { json } = await this.#engine.ask('POST', path, this.#caller);
    return (json as { readonly NetworksDeleted?: readonly string[] | null } | undefined)?.NetworksDeleted ?? [];
  }

  async #inspect(key: string): Promise<LocalNetwork | undefined> {
    const { status, json } = await this.#engine.ask('GET', `/networks/${encodeURIComponent(key)}`, this.#caller);
    return status < 400 ? (json as LocalNetwork) : undefined;
  }
}

const swarmIdOf = ({ Labels }: LocalNetwork): string | undefined => Labels?.[SWARM_NETWORK_LABEL];

/** One more value of a filter, in either of the shapes clients write. */
function withValue(values: unknown, value: string): readonly string[] {
  if (Array.isArray(values)) return [...(values as readonly string[]), value];
  return [...Object.keys(values ?? {}), value];
}
