/** What nodes say of themselves: all have CPUs, some have countable things, and one is a Docker Engine, which gets addresses. */
import { genericListOf, parseGenericResources } from '../../src/manager/placement/generic-resource.ts';
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

const RESOURCES: Readonly<Record<string, Resources>> = {
  n1: resources('gpu=g1,gpu=g2,gpu=g3'),
  n2: resources('apple=4'),
  n3: resources('gpu=g1,apple=2'),
};
const DOCKER_ENGINE = 'n4';
const ENGINE: EngineDescription = {
  ...EngineDescription.fromPartial({}),
  plugins: [{ type: 'Network', name: 'overlay' }],
};

export const describeNode = (nodeId: string): NodeDescription => ({
  ...NodeDescription.fromPartial({ hostname: nodeId }),
  engine: nodeId === DOCKER_ENGINE ? ENGINE : undefined,
  resources: RESOURCES[nodeId] ?? resources(),
});
