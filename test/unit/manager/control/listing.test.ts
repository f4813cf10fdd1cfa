import { describe, expect, it } from 'vitest';
import { NodeRole } from '../../../../src/proto/generated/docker/swarmkit/v1/types.ts';
import { Node } from '../../../../src/proto/generated/docker/swarmkit/v1/objects.ts';
import { aConfigSpec, aNode, aSecretSpec, testControl } from '../../../support/local-control.ts';

const everything = { names: [], idPrefixes: [], namePrefixes: [], labels: {} };

describe('listing', () => {
  it('finds nodes by host name, spec name, role, and both kinds of labels', async () => {
    const { control, store } = await testControl();
    const plain = aNode('w1');
    const labelled: Node = {
      ...plain,
      spec: plain.spec && { ...plain.spec, annotations: { name: 'west', labels: { zone: 'a' }, indices: [] } },
      description: Node.fromPartial({ description: { hostname: 'host-w1', engine: { labels: { disk: 'ssd' } } } })
        .description,
    };
    await store.update((tx) => {
      tx.node.create(labelled);
      tx.node.create(aNode('m1', NodeRole.MANAGER));
    });
    const ids = async (filters: object): Promise<readonly string[]> => {
      const all = { ...everything, nodeLabels: {}, roles: [], memberships: [] };
      return (await control.listNodes({ filters: { ...all, ...filters } })).nodes.map(({ id }) => id);
    };
    expect(await ids({})).toEqual(['w1', 'm1']);
    expect(await ids({ names: ['host-w1'] })).toEqual(['w1']);
    expect(await ids({ names: ['west'] })).toEqual(['w1']);
    expect(await ids({ namePrefixes: ['host-m'] })).toEqual(['m1']);
    expect(await ids({ roles: [NodeRole.MANAGER] })).toEqual(['m1']);
    expect(await ids({ labels: { disk: 'ssd' } })).toEqual(['w1']);
    expect(await ids({ nodeLabels: { zone: '' } })).toEqual(['w1']);
    expect(await ids({ nodeLabels: { zone: 'b' } })).toEqual([]);
  });

  it('finds secrets and configs by exact name, by prefix and by id', async () => {
    const { control } = await testControl();
    const secret = await control.createSecret({ id: '', spec: aSecretSpec('app-key') });
    await control.createConfig({ id: '', spec: aConfigSpec('app-conf') });
    const names = async (filters: object): Promise<readonly (string | undefined)[]> =>
      (await control.listSecrets({ filters: { ...everything, ...filters } })).secrets.map(
        (s) => s.spec?.annotations?.name,
      );
    expect(await names({ names: ['app-key'] })).toEqual(['app-key']);
    expect(await names({ names: ['APP-KEY'] })).toEqual([]);
    expect(await names({ names: ['app-key', 'app-key'] })).toEqual(['app-key']);
    expect(await names({ namePrefixes: ['app'] })).toEqual(['app-key']);
    expect(await names({ idPrefixes: [secret.secret?.id ?? ''] })).toEqual(['app-key']);
    expect(await names({ idPrefixes: ['zzz'] })).toEqual([]);
    const { configs } = await control.listConfigs({ filters: { ...everything, namePrefixes: ['app'] } });
    expect(configs.map((c) => c.spec?.data.toString())).toEqual(['config']);
  });

  it('says what does not exist', async () => {
    const { control } = await testControl();
    await expect(control.getNode({ nodeId: 'x' })).rejects.toMatchObject({
      code: 'notFound',
      message: 'node x not found',
    });
    await expect(control.getTask({ taskId: 'x' })).rejects.toMatchObject({ message: 'task x not found' });
    await expect(control.getSecret({ secretId: 'x' })).rejects.toMatchObject({ message: 'secret x not found' });
    await expect(control.getConfig({ configId: 'x' })).rejects.toMatchObject({ message: 'config x not found' });
    await expect(control.getService({ serviceId: 'x', insertDefaults: false })).rejects.toMatchObject({
      message: 'service x not found',
    });
    await expect(control.getCluster({ clusterId: 'x' })).rejects.toMatchObject({ message: 'cluster x not found' });
  });
});
