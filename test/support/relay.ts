/** A TCP relay whose connections can be broken, as when a process is killed, or swallow everything, as when a network is cut. */
import { connect, createServer, type AddressInfo, type Socket } from 'node:net';

export interface Relay {
  readonly address: string;
  /** Breaks all connections. */
  breakAll(): void;
  /** Swallows everything in both directions from now on, telling nobody. */
  swallow(): void;
  /** Lets new connections wait, as a busy machine does; the old ones go on. */
  hold(): void;
  release(): void;
  /** Connections that are open. */
  readonly connections: number;
  close(): void;
}

/** @param target "host:port" */
export async function openRelay(target: string): Promise<Relay> {
  const [host, port] = target.split(':') as [string, string];
  const sockets = new Set<Socket>();
  let waiting: (() => void)[] | undefined;
  let pairs = 0;
  const server = createServer((inbound) => {
    pairs++;
    inbound.once('close', () => pairs--);
    const outbound = connect(Number(port), host);
    for (const [from, to] of [
      [inbound, outbound],
      [outbound, inbound],
    ] as const) {
      sockets.add(from);
      from.on('error', () => undefined);
      from.on('close', () => {
        sockets.delete(from);
        to.destroy();
      });
    }
    const join = (): void => void inbound.pipe(outbound).pipe(inbound);
    if (waiting) waiting.push(join);
    else join();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const breakAll = (): void => {
    for (const socket of sockets) socket.destroy();
  };
  return {
    address: `127.0.0.1:${(server.address() as AddressInfo).port}`,
    breakAll,
    swallow: () => {
      for (const socket of sockets) socket.unpipe().pause();
    },
    hold: () => {
      waiting ??= [];
    },
    release: () => {
      for (const join of waiting ?? []) join();
      waiting = undefined;
    },
    get connections() {
      return pairs;
    },
    close: () => {
      breakAll();
      server.close();
    },
  };
}
