import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { aService, docker, TestCluster, type TestDaemon } from '../support/cluster.ts';
import { itWith } from '../support/requirements.ts';

/** Everything that a thief of the disk would read. */
function filesBelow(directory: string): readonly { readonly path: string; readonly bytes: Buffer }[] {
  return readdirSync(directory, { recursive: true, encoding: 'utf8' })
    .map((name) => join(directory, name))
    .filter((path) => statSync(path, { throwIfNoEntry: false })?.isFile())
    .flatMap((path) => {
      try {
        return [{ path, bytes: readFileSync(path) }];
      } catch (error) {
        // The daemon works on: a draft has taken its final name meanwhile.
        if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
        throw error;
      }
    });
}

/** Where any of these texts can be read, as it is or in base64. */
function readable(directory: string, texts: readonly string[]): readonly string[] {
  const patterns = texts.flatMap((text) => [
    Buffer.from(text),
    Buffer.from(Buffer.from(text).toString('base64').slice(0, -4)),
  ]);
  return filesBelow(directory).flatMap(({ path, bytes }) => (patterns.some((p) => bytes.includes(p)) ? [path] : []));
}

const PAYLOAD = 'correct horse battery staple '.repeat(20);

describe('the state folder of a manager', () => {
  let cluster: TestCluster;
  let manager: TestDaemon;
  beforeAll(async () => {
    cluster = await TestCluster.start({ managers: 1, workers: 0 });
    manager = cluster.first;
  });
  afterAll(() => cluster.close());

  const sensitive = async (): Promise<readonly string[]> => {
    const { JoinTokens } = await manager.ask<{ JoinTokens: { Manager: string; Worker: string } }>('GET', '/swarm');
    return [PAYLOAD, JoinTokens.Manager, JoinTokens.Worker, 'BEGIN EC PRIVATE KEY', 'caKey'];
  };

  itWith(['root'], 'shows no secret, token or key of the authority', async () => {
    const { ID } = await manager.ask<{ ID: string }>('POST', '/secrets/create', {
      Name: 'payload',
      Data: Buffer.from(PAYLOAD).toString('base64'),
    });
    const service = aService('reader', 1);
    await manager.ask('POST', '/services/create', {
      ...service,
      TaskTemplate: {
        ...service.TaskTemplate,
        ContainerSpec: {
          ...service.TaskTemplate.ContainerSpec,
          Secrets: [
            { SecretID: ID, SecretName: 'payload', File: { Name: 'payload', UID: '0', GID: '0', Mode: 0o400 } },
          ],
        },
      },
    });
    await expect.poll(async () => (await cluster.running('reader')).length, { timeout: 20_000 }).toBe(1);
    expect(readable(manager.directory, await sensitive())).toEqual([]);
    // The node's own key is there, and only in its file, until the managers are locked.
    expect(readable(manager.directory, ['BEGIN PRIVATE KEY'])).toEqual([
      join(manager.directory, 'certificates', 'swarm-node.pem'),
    ]);
  });

  itWith(['root', 'docker'], 'shows no private key either while managers are locked, nor the unlock key', async () => {
    await docker(manager, 'swarm', 'update', '--autolock=true');
    const unlockKey = (await docker(manager, 'swarm', 'unlock-key', '-q')).replace('SWMKEY-1-', '');
    const keys = () => JSON.parse(readFileSync(join(manager.directory, 'keys.json'), 'utf8')) as { sealed: boolean };
    await expect.poll(() => keys().sealed, { timeout: 10_000 }).toBe(true);
    await expect
      .poll(() => readable(manager.directory, ['BEGIN PRIVATE KEY', unlockKey]), { timeout: 10_000 })
      .toEqual([]);
    const raw = Buffer.from(unlockKey, 'base64');
    expect(filesBelow(manager.directory).filter(({ bytes }) => bytes.includes(raw))).toEqual([]);
    expect(readable(manager.directory, await sensitive())).toEqual([]);
  });

  it('belongs to its owner alone', () => {
    expect(statSync(manager.directory).mode & 0o077).toBe(0);
    expect(statSync(join(manager.directory, 'keys.json')).mode & 0o077).toBe(0);
  });
});
