/** What nodes say of themselves: all have CPUs, some have countable things, and one is a Docker Engine, which gets addresses. */
import { genericListOf, parseGenericResources } from '../../src/manager/placement/generic-resource.ts';
import type { IdentityState, SimulatedIdentity } from './identity.ts';
import { issuerOf } from './pki.ts';
import {
  EngineDescription,
  NodeDescription,
  type Resources,
} from '../../src/proto/generated/docker/swarmkit/v1/types.ts';

const resources = (countables = ''): Resources => ({
  nanoCpus: 4e9,
  memoryBytes: 1e9,
  generic: countables === '' ? [] : genericListOf(parseGenericResources(countables)),
});

/** Kinds of nodes, in turn; the last one is the Docker Engine. */
const KINDS: readonly Resources[] = [
  resources('gpu=g1,gpu=g2,gpu=g3'),
  resources('apple=4'),
  resources('gpu=g1,apple=2'),
  resources(),
];
const ENGINE: EngineDescription = {
  ...EngineDescription.fromPartial({}),
  plugins: [{ type: 'Network', name: 'overlay' }],
};

/** @param number the how manieth node it is, from 1 */
export function describeNode(number: number, { current }: SimulatedIdentity): NodeDescription {
  const kind = (number - 1) % KINDS.length;
  return {
    ...NodeDescription.fromPartial({ hostname: `node${number}` }),
    engine: kind === KINDS.length - 1 ? ENGINE : undefined,
    resources: KINDS[kind],
    tlsInfo: current && tlsInfo(current),
  };
}

function tlsInfo({ chain, rootBundle }: IdentityState): NonNullable<NodeDescription['tlsInfo']> {
  const { subject, publicKey } = issuerOf(chain);
  return { trustRoot: Buffer.from(rootBundle), certIssuerSubject: subject, certIssuerPublicKey: publicKey };
}
