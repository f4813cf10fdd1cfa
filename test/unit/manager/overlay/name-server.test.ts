import { describe, expect, it } from 'vitest';
import type { CallContext } from '../../../../src/common/rpc.ts';
import { networkAttachmentMethods } from '../../../../src/manager/overlay/network-attachments.ts';
import { Network } from '../../../../src/proto/generated/docker/swarmkit/v1/objects.ts';
import { IPAMConfig } from '../../../../src/proto/generated/docker/swarmkit/v1/types.ts';
import { testControl } from '../../../support/local-control.ts';

describe('the name server of a network, asked for by an agent', () => {
  it.each([
    ['open', '10.7.0.1'],
    ['net1', '10.7.0.1'],
    ['closed', ''],
    ['nosuch', ''],
  ])('called %s is at "%s"', async (network, address) => {
    const { store, clock } = await testControl();
    await store.update((tx) => {
      for (const [id, name, attachable] of [
        ['net1', 'open', true],
        ['net2', 'closed', false],
      ] as const)
        tx.network.create({
          ...Network.fromPartial({ id, spec: { annotations: { name }, attachable } }),
          ipam: {
            driver: undefined,
            configs: [IPAMConfig.fromPartial({ subnet: '10.7.0.0/24', gateway: '10.7.0.1' })],
          },
        });
    });
    const { findNameServer } = networkAttachmentMethods({ store, clock, newId: () => 'id', leader: { isSelf: true } });
    expect(await findNameServer.handle({ network }, {} as CallContext)).toEqual({ address });
  });
});
