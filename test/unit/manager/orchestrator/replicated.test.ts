import { afterEach, describe, expect, it } from 'vitest';
import { TaskState } from '../../../../src/proto/generated/docker/swarmkit/v1/types.ts';
import { aNode, aService } from '../../../support/builders.ts';
import { SwarmWorld, type WorldOptions } from '../../../support/swarm-world.ts';

let world: SwarmWorld;
const aWorld = (options: WorldOptions = {}): SwarmWorld => (world = new SwarmWorld({ script: () => ({}), ...options }));
afterEach(() => world.end());

const running = () =>
  world.tasks().filter((t) => t.status?.state === TaskState.RUNNING && t.desiredState === TaskState.RUNNING);

describe('a replicated service', () => {
  it('gets as many running tasks as it asks for, in slots from 1', async () => {
    aWorld();
    await world.create({ nodes: [aNode('n1'), aNode('n2')], services: [aService({ replicas: 3 })] });
    await world.lead();
    await world.advance(10);
    expect(
      running()
        .map((t) => t.slot)
        .sort(),
    ).toEqual([1, 2, 3]);
  });
});
