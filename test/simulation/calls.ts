/**
 * Calls between nodes: over the simulated network, with what TLS and gRPC do for the product. Both sides show their certificates, the
 * called manager finds out who calls and whether the method is for such callers, and an answer comes late or never.
 */
import type { Metadata, ServiceDefinition } from '@grpc/grpc-js';
import { SwarmError } from '../../src/common/errors.ts';
import { silentLogger } from '../../src/common/log.ts';
import { authorize, type Caller, type Method, type ServiceMethods } from '../../src/common/rpc.ts';
import { refuseStranger } from '../../src/identity/stranger.ts';
import { serviceError } from '../support/service-error.ts';
import type { Violate } from './checks/check.ts';
import type { World } from './checks/world.ts';
import type { SimulatedIdentity } from './identity.ts';
import type { SimulatedManager } from './manager.ts';
import type { Network } from './network.ts';
import { chainsTo } from './pki.ts';
import type { Timeline } from './timeline.ts';

const TIMEOUT_MS = 5_000;
/** Caller of those who have no certificate. */
const ANONYMOUS: Caller = { nodeId: '', role: 'anonymous', clusterId: '', address: '192.0.2.250:4444' };

/** Whoever calls. */
export interface Party {
  /** In the network. */
  readonly name: string;
  readonly identity: SimulatedIdentity;
}

export interface CallsOptions {
  readonly timeline: Timeline;
  readonly network: Network;
  readonly world: () => World;
  readonly violate: Violate;
}

type Callback = (error: unknown, response: unknown) => void;

export class Calls {
  readonly #options: CallsOptions;

  constructor(options: CallsOptions) {
    this.#options = options;
  }

  /**
   * A client of a service of a manager, as generated code would have it.
   * @param find the manager as of when a call arrives
   * @param asNobody shows no certificate
   */
  client<Client>(
    from: Party,
    find: () => SimulatedManager | undefined,
    definition: ServiceDefinition,
    asNobody = false,
  ): Client {
    const method =
      (name: string) =>
      (request: unknown, metadata: Metadata, _options: unknown, callback: Callback): { cancel(): void } =>
        this.#call(from, find, { definition, name }, asNobody, request, metadata, callback);
    return Object.fromEntries(Object.keys(definition).map((name) => [name, method(name)])) as Client;
  }

  /** Whether two nodes accept each other's certificates. That two members do not must never happen, whatever becomes of the root. */
  trust(a: SimulatedIdentity, b: SimulatedIdentity): boolean {
    return this.#accepts(a, b) && this.#accepts(b, a);
  }

  /** Who calls, as a manager sees it. Throws when it is not to be served. */
  identify(from: Party, manager: SimulatedManager): Caller {
    const { current } = from.identity;
    if (current === undefined) return ANONYMOUS;
    if (!this.#accepts(from.identity, manager.identity))
      throw new SwarmError('unavailable', 'the manager shows a certificate this node does not trust');
    if (!this.#accepts(manager.identity, from.identity)) return ANONYMOUS;
    const { nodeId, role, clusterId } = current;
    const caller: Caller = { nodeId, role, clusterId, address: ANONYMOUS.address };
    refuseStranger(caller, manager.identity.current?.clusterId ?? '', (id) => manager.knowsAsRemoved(id));
    return caller;
  }

  #accepts(node: SimulatedIdentity, other: SimulatedIdentity): boolean {
    const [own, shown] = [node.current, other.current];
    if (own === undefined || shown === undefined) return false;
    if (chainsTo(shown.chain, own.rootBundle)) return true;
    const world = this.#options.world();
    if (world.node(own.nodeId) && world.node(shown.nodeId))
      this.#options.violate(
        44,
        `node ${own.nodeId} trusts "${own.rootBundle.trim()}" and not node ${shown.nodeId}, which shows "${shown.chain.trim()}"`,
      );
    return false;
  }

  #call(
    from: Party,
    find: () => SimulatedManager | undefined,
    what: { readonly definition: ServiceDefinition; readonly name: string },
    asNobody: boolean,
    request: unknown,
    metadata: Metadata,
    callback: Callback,
  ): { cancel(): void } {
    const { timeline, network } = this.#options;
    const cancelled = new AbortController();
    const answered = new AbortController();
    let isDone = false;
    const done = (error: unknown, response?: unknown): void => {
      if (isDone) return;
      isDone = true;
      answered.abort();
      cancelTimer();
      callback(error && serviceError(error, what.name, silentLogger), response);
    };
    const cancelTimer = timeline.setTimer(TIMEOUT_MS, () => {
      cancel(new SwarmError('deadlineExceeded', 'no answer came'));
    });
    const name = find()?.name ?? '';
    // The manager learns of it, if it can be reached.
    const cancel = (error: SwarmError): void => {
      done(error);
      network.carry(from.name, name, () => cancelled.abort(error));
    };
    const lost = (): void => done(new SwarmError('unavailable', 'the manager could not be reached'));
    network.carry(
      from.name,
      name,
      () => {
        const manager = find();
        const methods = manager?.methodsOf(what.definition) as ServiceMethods<ServiceDefinition> | undefined;
        const method = methods?.[what.name] as Method<never> | undefined;
        if (!manager || !method) return lost();
        const answer = this.#serve(asNobody ? undefined : from, manager, what.name, method, request, {
          metadata,
          signal: cancelled.signal,
        });
        const back = (deliver: () => void): void => network.carry(manager.name, from.name, deliver);
        answer.then(
          (response) => back(() => done(undefined, response)),
          (error: unknown) => back(() => done(error)),
        );
        manager.signal.addEventListener('abort', lost, { once: true, signal: answered.signal });
      },
      lost,
    );
    return { cancel: () => cancel(new SwarmError('cancelled', 'the caller went away')) };
  }

  async #serve(
    from: Party | undefined,
    manager: SimulatedManager,
    name: string,
    { access, handle }: Method<never>,
    request: unknown,
    context: { readonly metadata: Metadata; readonly signal: AbortSignal },
  ): Promise<unknown> {
    const caller = from === undefined ? ANONYMOUS : this.identify(from, manager);
    authorize(name, access, caller);
    return (handle as unknown as (request: unknown, context: unknown) => unknown)(request, { ...context, caller });
  }
}
