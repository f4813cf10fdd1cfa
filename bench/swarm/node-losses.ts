/** When a swarm tells, in its stream of events, that nodes are down. */
import { request, type ClientRequest } from 'node:http';

interface NodeEvent {
  readonly Actor: { readonly ID: string; readonly Attributes: Readonly<Record<string, string>> };
}

export class NodeLosses {
  /** By node id, as `performance.now()` says. */
  readonly at = new Map<string, number>();
  readonly #call: ClientRequest;

  private constructor(call: ClientRequest) {
    this.#call = call;
  }

  /** Resolves when the stream is open. */
  static follow(socketPath: string): Promise<NodeLosses> {
    const filters = encodeURIComponent(JSON.stringify({ type: ['node'] }));
    return new Promise((resolve, reject) => {
      const call = request({ socketPath, path: `/v1.41/events?filters=${filters}` }, (response) => {
        const losses = new NodeLosses(call);
        let rest = '';
        response.setEncoding('utf8').on('data', (text: string) => {
          const lines = (rest + text).split('\n');
          rest = lines.pop() ?? '';
          for (const line of lines) losses.#take(line);
        });
        response.on('error', () => undefined);
        resolve(losses);
      });
      call.once('error', reject).end();
    });
  }

  close(): void {
    this.#call.on('error', () => undefined).destroy();
  }

  #take(line: string): void {
    if (line.trim() === '') return;
    const { Actor } = JSON.parse(line) as NodeEvent;
    if (Actor.Attributes['state.new'] === 'down') this.at.set(Actor.ID, performance.now());
  }
}
