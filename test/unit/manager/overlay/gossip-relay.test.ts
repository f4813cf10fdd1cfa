import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Server } from 'node:net';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { silentLogger } from '../../../../src/common/log.ts';
import { GossipRelay } from '../../../../src/manager/overlay/gossip-relay.ts';
import type { Store } from '../../../../src/manager/store/store.ts';
import { Node } from '../../../../src/proto/generated/docker/swarmkit/v1/objects.ts';
import { NodeDescription, NodeStatus_State } from '../../../../src/proto/generated/docker/swarmkit/v1/types.ts';
import { localStore } from '../../../support/local-store.ts';

const MANAGER = '127.0.0.1';
/** Where engines are; nothing listens at the address of one that does not answer. */
const ENGINES = ['127.0.0.2', '127.0.0.3', '127.0.0.4'] as const;
const engine = { engineVersion: '20.10', labels: {}, plugins: [{ type: 'Network', name: 'overlay' }] };

describe('the relay for the gossip of engines', () => {
  let store: Store;
  let port: number;
  let relay: GossipRelay;
  const servers: Server[] = [];
  beforeEach(async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    store = localStore().store;
    port = 0;
    port = await engineAt(ENGINES[2]);
    relay = new GossipRelay({ host: MANAGER, port, store, log: silentLogger });
    relay.start();
  });
  afterEach(async () => {
    vi.useRealTimers();
    await relay.stop();
    for (const server of servers.splice(0)) server.close();
  });

  /** Answers with its address. */
  async function engineAt(host: string): Promise<number> {
    const server = createServer((socket) => socket.end(host)).listen(port, host);
    servers.push(server);
    await once(server, 'listening');
    return (server.address() as AddressInfo).port;
  }

  const isUp = (addr: string): Promise<void> =>
    store.update((tx) =>
      tx.node.create({
        ...Node.fromPartial({ id: addr, status: { state: NodeStatus_State.READY, addr } }),
        description: { ...NodeDescription.fromPartial({}), engine },
      }),
    );

  /** Asks the relay as the engine at an address would; with nothing where it does not listen. */
  const ask = async (localAddress: string): Promise<string> => {
    const socket = connect({ host: MANAGER, port, localAddress });
    let text = '';
    socket.on('data', (chunk: Buffer) => (text += chunk.toString()));
    socket.on('error', () => undefined);
    await new Promise((resolve) => socket.once('close', resolve));
    return text;
  };

  /** Asks until there is an answer, in a time in which no timer fires. */
  const askSoon = async (localAddress: string): Promise<string> => {
    let answer = '';
    for (let i = 0; answer === '' && i < 200; i++) answer = await ask(localAddress);
    return answer;
  };

  it('is there at once for the first engine, and passes it on to itself', async () => {
    await isUp(ENGINES[2]);
    expect(await askSoon(ENGINES[2])).toBe(ENGINES[2]);
  });

  it('passes an engine on to another, each in turn', async () => {
    await engineAt(ENGINES[1]);
    for (const address of ENGINES) await isUp(address);
    await askSoon(ENGINES[0]);
    const answers = [await ask(ENGINES[0]), await ask(ENGINES[0])];
    expect(answers.toSorted()).toEqual([ENGINES[1], ENGINES[2]]);
  });

  it('tries the next engine when one does not answer, at last the one that asks', async () => {
    for (const address of ENGINES) await isUp(address);
    expect(await askSoon(ENGINES[2])).toBe(ENGINES[2]);
    for (const _ of ENGINES) expect(await ask(ENGINES[0])).toBe(ENGINES[2]);
  });
});
