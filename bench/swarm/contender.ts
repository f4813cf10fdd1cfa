/** The two swarms that are compared: managers only, to which the same hollow workers are joined. */
import { readFileSync } from 'node:fs';
import { request } from 'node:http';
import { join } from 'node:path';
import { DockerEngine } from '../../test/support/docker-engine.ts';
import { TestCluster } from '../../test/support/cluster.ts';

export interface Contender {
  readonly name: 'swarmd' | 'Docker Swarm';
  /** API socket of a manager. */
  readonly socket: string;
  /** Process of that manager. */
  readonly pid: number;
  /** Where workers join. */
  readonly address: string;
  /** Network namespace the managers live in; the bench's own when undefined. */
  readonly namespace: string | undefined;
  close(): Promise<void>;
}

/** One manager of ours. */
export async function swarmd(): Promise<Contender> {
  const cluster = await TestCluster.start({ managers: 1, workers: 0, managerRuntime: 'none' });
  const { socket, pid } = cluster.first;
  const address = await addressOf(socket);
  return { name: 'swarmd', socket, pid, address, namespace: undefined, close: () => cluster.close() };
}

/** One real manager; its own engine takes no tasks. */
export async function dockerSwarm(): Promise<Contender> {
  const engine = await DockerEngine.start({ isSwarm: true });
  try {
    await engine.docker('node', 'update', '--availability=drain', await engine.docker('node', 'ls', '--quiet'));
  } catch (error) {
    await engine.close();
    throw error;
  }
  return {
    name: 'Docker Swarm',
    socket: engine.socket,
    pid: Number(readFileSync(join(engine.directory, 'docker.pid'), 'utf8')),
    address: '127.0.0.1:2377',
    namespace: engine.namespace,
    close: () => engine.close(),
  };
}

export async function addressOf(socket: string): Promise<string> {
  const info = await ask<{ Swarm: { RemoteManagers: readonly { Addr: string }[] } }>(socket, 'GET', '/info');
  return info.Swarm.RemoteManagers[0]?.Addr ?? '';
}

/** One call of the API that both serve; throws unless the answer is a success. */
export function ask<T>(socketPath: string, method: string, path: string, body?: unknown): Promise<T> {
  const payload = body === undefined ? undefined : JSON.stringify(body);
  const headers = payload === undefined ? {} : { 'content-type': 'application/json', 'content-length': payload.length };
  return new Promise((resolve, reject) => {
    const call = request({ socketPath, method, path: `/v1.41${path}`, headers }, (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('error', reject);
      response.on('end', () => {
        const text = Buffer.concat(chunks).toString();
        if ((response.statusCode ?? 500) >= 300) reject(new Error(`${method} ${path}: ${response.statusCode} ${text}`));
        else resolve((text === '' ? undefined : JSON.parse(text)) as T);
      });
    });
    call.once('error', reject);
    call.end(payload);
  });
}
