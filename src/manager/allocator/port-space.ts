/** The port numbers of the routing mesh: each belongs to one service, per protocol. */
import type { PortConfig_Protocol } from '../../proto/generated/docker/swarmkit/v1/types.ts';

/** Numbers that are chosen for services, both ends included. */
export const DYNAMIC_PORTS = { first: 30_000, last: 32_767 } as const;
const MAX_PORT = 65_535;

/** Where the search for a free dynamic port begins next, per protocol; kept between spaces so that freed numbers rest. */
export type PortCursors = Map<PortConfig_Protocol, number>;

export class PortSpace {
  readonly #taken = new Map<PortConfig_Protocol, Set<number>>();
  readonly #cursors: PortCursors;

  constructor(cursors: PortCursors = new Map()) {
    this.#cursors = cursors;
  }

  /** Takes a number; false when it is taken already or no port number. */
  take(protocol: PortConfig_Protocol, port: number): boolean {
    const taken = this.#of(protocol);
    if (port < 1 || port > MAX_PORT || taken.has(port)) return false;
    taken.add(port);
    return true;
  }

  /** Takes the next free dynamic number; undefined when all are taken. */
  takeDynamic(protocol: PortConfig_Protocol): number | undefined {
    const { first, last } = DYNAMIC_PORTS;
    const size = last - first + 1;
    const start = this.#cursors.get(protocol) ?? first;
    for (let i = 0; i < size; i++) {
      const port = first + ((start - first + i) % size);
      if (!this.take(protocol, port)) continue;
      this.#cursors.set(protocol, port === last ? first : port + 1);
      return port;
    }
    return undefined;
  }

  /** Gives a number back; unknown ones are ignored. */
  release(protocol: PortConfig_Protocol, port: number): void {
    this.#taken.get(protocol)?.delete(port);
  }

  #of(protocol: PortConfig_Protocol): Set<number> {
    let taken = this.#taken.get(protocol);
    if (!taken) this.#taken.set(protocol, (taken = new Set()));
    return taken;
  }
}
