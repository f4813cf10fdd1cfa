/**
 * Task logs on demand (docker.swarmkit.v1.LogBroker and Logs): clients subscribe, the nodes concerned are told and send
 * their lines. Nothing is stored here, and it works only while this manager leads, where all agents are connected.
 */
import { SwarmError } from '../../common/errors.ts';
import type { ServiceMethods } from '../../common/rpc.ts';
import type {
  LogBrokerService,
  LogsService,
  SubscribeLogsMessage,
  SubscribeLogsRequest,
} from '../../proto/generated/docker/swarmkit/v1/logbroker.ts';
import { LogExchange } from './log-exchange.ts';
import { DEFAULT_LOG_BROKER_SETTINGS, type LogBrokerOptions } from './options.ts';

export class LogBroker {
  readonly #options: LogBrokerOptions;
  #exchange: LogExchange | undefined;

  constructor(options: LogBrokerOptions) {
    this.#options = options;
  }

  /** Serves one term of leadership: resolves after the signal aborts, when all streams are ended; call it again for the next. */
  async run(signal: AbortSignal): Promise<void> {
    const exchange = new LogExchange(this.#options, { ...DEFAULT_LOG_BROKER_SETTINGS, ...this.#options.settings });
    this.#exchange = exchange;
    try {
      await exchange.run(signal);
    } finally {
      if (this.#exchange === exchange) this.#exchange = undefined;
    }
  }

  /** Agents listening and clients reading now; zeros while not leading. */
  get load(): LogExchange['load'] {
    return this.#exchange?.load ?? { listeners: 0, subscriptions: 0 };
  }

  /**
   * Lines of the tasks selected. Without `follow` it ends when every node has sent what it has, and throws `unknown` with
   * the reasons when something could not be had; with `follow` it takes up later tasks too and ends with the signal.
   * Throws invalidArgument (empty selector, positive tail) and unavailable (not leading, leadership lost).
   */
  subscribe(request: SubscribeLogsRequest, signal: AbortSignal): AsyncGenerator<SubscribeLogsMessage> {
    return this.#leading().subscribe(request, signal);
  }

  /** For agents. */
  get methods(): ServiceMethods<typeof LogBrokerService> {
    return {
      listenSubscriptions: { access: 'member', handle: (_request, context) => this.#leading().listen(context) },
      publishLogs: {
        access: 'member',
        handle: async (messages, context) => {
          await this.#leading().publish(messages, context);
          return {};
        },
      },
    };
  }

  /** For managers that serve clients. */
  get logsMethods(): ServiceMethods<typeof LogsService> {
    return {
      subscribeLogs: { access: 'manager', handle: (request, { signal }) => this.subscribe(request, signal) },
    };
  }

  #leading(): LogExchange {
    if (this.#exchange) return this.#exchange;
    const leader = this.#options.leader();
    throw new SwarmError(
      'unavailable',
      leader
        ? `this manager does not serve logs now: they go through the leader ${leader}`
        : 'this manager does not serve logs now and knows no leader: try again, or try another manager',
    );
  }
}
