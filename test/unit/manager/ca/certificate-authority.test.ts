import { Metadata } from '@grpc/grpc-js';
import { beforeEach, describe, expect, it } from 'vitest';
import { FakeClock } from '../../../../src/common/clock.ts';
import { countingIds } from '../../../../src/common/ids.ts';
import type { CallContext } from '../../../../src/common/rpc.ts';
import { x509Pki } from '../../../../src/identity/pki.ts';
import { CertificateAuthority } from '../../../../src/manager/ca/certificate-authority.ts';
import type { Cluster } from '../../../../src/proto/generated/docker/swarmkit/v1/objects.ts';
import { NodeSpec_Availability } from '../../../../src/proto/generated/docker/swarmkit/v1/specs.ts';
import { NodeRole } from '../../../../src/proto/generated/docker/swarmkit/v1/types.ts';
import { aCluster, aNode } from '../../../support/local-control.ts';
import { localStore, type LocalStore } from '../../../support/local-store.ts';
import { noAuthorities } from '../../../simulation/no-authorities.ts';

describe('a certificate that is being made', () => {
  let local: LocalStore;
  /** Happens while the first one is made. */
  let meanwhile: () => Promise<unknown>;
  let authority: CertificateAuthority;

  beforeEach(async () => {
    const clock = new FakeClock();
    local = localStore(clock);
    await local.store.update((tx) => {
      tx.cluster.create(aCluster());
      tx.node.create(aNode('node', NodeRole.MANAGER));
    });
    const signNodeCertificate: typeof x509Pki.signNodeCertificate = async (_, { role }, { certificate }) => {
      const first = meanwhile;
      meanwhile = () => Promise.resolve();
      await first();
      return `${role} by ${certificate}`;
    };
    const pki = { ...x509Pki, signNodeCertificate };
    const { store } = local;
    authority = new CertificateAuthority({
      store,
      clock,
      newId: countingIds('id'),
      pki,
      leader: () => undefined,
      external: noAuthorities,
    });
  });

  const issue = (caller: CallContext['caller'], role: NodeRole, token: string) => {
    const context: CallContext = { caller, signal: new AbortController().signal, metadata: new Metadata() };
    const request = {
      role,
      csr: Buffer.from('request'),
      token,
      availability: NodeSpec_Availability.ACTIVE,
    };
    return authority.nodeCaMethods.issueNodeCertificate.handle(request, context);
  };

  const certificateOf = (nodeId: string): string | undefined =>
    local.store.read.node.get(nodeId)?.certificate?.certificate.toString();

  const renewed = async (): Promise<string | undefined> => {
    await issue(
      { nodeId: 'node', role: 'manager', clusterId: 'cluster1', address: '192.0.2.1:4444' },
      NodeRole.MANAGER,
      '',
    );
    return certificateOf('node');
  };

  const STRANGER: CallContext['caller'] = { nodeId: '', role: 'anonymous', clusterId: '', address: '192.0.2.9:4444' };

  const beginRotation = (): Promise<unknown> =>
    local.store.update((tx) => {
      const cluster = tx.cluster.all()[0] as Cluster;
      const rootRotation = {
        caCert: Buffer.from('the next root'),
        caKey: Buffer.from('key'),
        crossSignedCaCert: Buffer.from('twin'),
      };
      tx.cluster.update({ ...cluster, rootCa: { ...cluster.rootCa!, rootRotation } });
    });

  it('is not given to a node that has been demoted meanwhile', async () => {
    meanwhile = () => local.store.update((tx) => tx.node.update({ ...tx.node.get('node')!, role: NodeRole.WORKER }));
    expect(await renewed()).toBe('worker by the root certificate');
  });

  it('is made anew when the root begins to be replaced meanwhile', async () => {
    meanwhile = beginRotation;
    expect(await renewed()).toBe('manager by the next root');
  });

  it('is made anew for a new node, too', async () => {
    meanwhile = beginRotation;
    const { nodeId } = await issue(STRANGER, NodeRole.WORKER, 'worker token');
    expect(certificateOf(nodeId)).toBe('worker by the next root');
    expect(local.store.read.node.size).toBe(2);
  });

  it('is not given to a new node whose token was rotated meanwhile', async () => {
    meanwhile = () =>
      local.store.update((tx) => {
        const cluster = tx.cluster.all()[0] as Cluster;
        const joinTokens = { worker: 'another token', manager: 'manager token' };
        tx.cluster.update({ ...cluster, rootCa: { ...cluster.rootCa!, joinTokens } });
      });
    await expect(issue(STRANGER, NodeRole.WORKER, 'worker token')).rejects.toThrow(/token/);
    expect(local.store.read.node.size).toBe(1);
  });
});
