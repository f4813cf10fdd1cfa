/** dockerode sends no version, repeats its options in the query string, and checks status codes by tables of its own. */
import Docker from 'dockerode';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { apiRig, type ApiRig } from '../../support/api-rig.ts';

let folder: string;
let rig: ApiRig;
let docker: Docker;
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'swarmd-dockerode-'));
  const socketPath = join(folder, 'api.sock');
  rig = await apiRig();
  await rig.api.listen(`unix://${socketPath}`);
  docker = new Docker({ socketPath });
});
afterAll(async () => {
  await rig.close();
  rmSync(folder, { recursive: true });
});

describe('dockerode', () => {
  it('creates, updates and removes a service with a spec of any size in its query string', async () => {
    const spec = {
      Name: 'web',
      TaskTemplate: {
        ContainerSpec: { Image: 'busybox:local', Env: Array.from({ length: 2000 }, (_, i) => `VARIABLE_${i}=value`) },
      },
      Mode: { Replicated: { Replicas: 1 } },
    };
    const created = (await docker.createService(spec)) as { readonly id: string };
    const service = docker.getService(created.id);
    const shown = (await service.inspect()) as {
      readonly Version: { readonly Index: number };
      readonly Spec: typeof spec;
    };
    expect(shown.Spec.TaskTemplate.ContainerSpec.Env).toHaveLength(2000);
    await service.update({
      ...spec,
      version: shown.Version.Index,
      Mode: { Replicated: { Replicas: 2 } },
    });
    const listed = await docker.listServices({ filters: { name: ['web'] } });
    expect(listed[0]?.Spec?.Mode?.Replicated?.Replicas).toBe(2);
    await service.remove();
    await expect(service.inspect()).rejects.toMatchObject({
      statusCode: 404,
      json: { message: `service ${created.id} not found` },
    });
  });

  it('lists nodes and tasks, keeps secrets, and hears of events', async () => {
    expect((await docker.listNodes())[0]).toMatchObject({ ManagerStatus: { Leader: true } });
    expect(await docker.listTasks()).toEqual([]);
    const events = await docker.getEvents({ filters: { type: ['secret'] } });
    const heard = new Promise<string>((resolve) => events.once('data', (chunk: Buffer) => resolve(chunk.toString())));
    const secret = await docker.createSecret({ Name: 's1', Labels: {}, Data: 'aGk=' });
    expect(await docker.listSecrets()).toHaveLength(1);
    expect(await heard).toContain('"Action":"create"');
    (events as unknown as { destroy(): void }).destroy();
    await docker.getSecret(secret.id).remove();
  });

  it('gets an error and no data when a manager cannot be removed', async () => {
    await expect(docker.getNode('host1').remove()).rejects.toMatchObject({ statusCode: 400 });
  });
});
