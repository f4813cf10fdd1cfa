/**
 * The manager's end of the protocol with agents (docker.swarmkit.v1.Dispatcher): sessions, heartbeats, what each node is
 * to run, what the nodes report. It serves only while this manager leads and has caught up; otherwise agents are sent to
 * the leader and every call is refused, because an agent that is told "nothing" stops everything.
 */
import type { ServiceMethods } from '../../common/rpc.ts';
import { durationOfMs } from '../../common/time.ts';
import type { DispatcherService } from '../../proto/generated/docker/swarmkit/v1/dispatcher.ts';
import { LeaderTerm } from './leader-term.ts';
import type { DispatcherOptions } from './options.ts';
import { Redirect } from './redirect.ts';
import { notLeading } from './refusals.ts';
import { DEFAULT_DISPATCHER_SETTINGS, type DispatcherSettings } from './settings.ts';

export class Dispatcher {
  readonly #options: DispatcherOptions;
  readonly #settings: DispatcherSettings;
  readonly #redirect: Redirect;
  #term: LeaderTerm | undefined;

  constructor(options: DispatcherOptions) {
    this.#options = options;
    this.#redirect = new Redirect({
      reader: options.store.read,
      clock: options.clock,
      newId: options.newId,
      localNodeId: options.nodeId,
      managers: () => options.managers.current(),
      leader: options.leader,
    });
    this.#settings = { ...DEFAULT_DISPATCHER_SETTINGS, ...options.settings };
  }

  /**
   * Serves one term of leadership: call it when this manager leads and its store holds every entry of earlier terms.
   * Resolves after the signal aborts, when all sessions are ended; call it again for the next term.
   */
  async run(signal: AbortSignal): Promise<void> {
    const term = new LeaderTerm(this.#options, this.#settings);
    this.#term = term;
    try {
      await term.run(signal);
    } finally {
      if (this.#term === term) this.#term = undefined;
    }
  }

  /** Registered nodes, open assignment streams and statuses waiting to be stored; zeros while not leading. */
  get load(): LeaderTerm['load'] {
    return this.#term?.load ?? { sessions: 0, streams: 0, statusesWaiting: 0 };
  }

  get methods(): ServiceMethods<typeof DispatcherService> {
    return {
      session: {
        access: 'member',
        handle: (request, context) =>
          this.#term ? this.#term.session(request, context) : this.#redirect.session(context.caller.nodeId),
      },
      heartbeat: {
        access: 'member',
        handle: (request, context) => ({ period: durationOfMs(this.#leading().heartbeat(request, context)) }),
      },
      updateTaskStatus: {
        access: 'member',
        handle: async (request, context) => {
          await this.#leading().updateTaskStatus(request, context);
          return {};
        },
      },
      updateVolumeStatus: {
        access: 'member',
        handle: async (request, { caller }) => {
          await this.#leading().updateVolumeStatus(request, caller);
          return {};
        },
      },
      tasks: { access: 'member', handle: (request, context) => this.#leading().tasks(request, context) },
      assignments: { access: 'member', handle: (request, context) => this.#leading().assignments(request, context) },
    };
  }

  #leading(): LeaderTerm {
    if (!this.#term) throw notLeading(this.#options.leader());
    return this.#term;
  }
}
