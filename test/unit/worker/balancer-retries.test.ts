import { expect, it } from 'vitest';
import { FakeClock } from '../../../src/common/clock.ts';
import { silentLogger } from '../../../src/common/log.ts';
import { Task } from '../../../src/proto/generated/docker/swarmkit/v1/objects.ts';
import {
  PortConfig_Protocol as Protocol,
  PortConfig_PublishMode as Mode,
  TaskState,
} from '../../../src/proto/generated/docker/swarmkit/v1/types.ts';
import { Balancer } from '../../../src/worker/balancer/balancer.ts';

const published: Task = {
  ...Task.fromPartial({ id: 'task', desiredState: TaskState.RUNNING, status: { state: TaskState.RUNNING } }),
  endpoint: {
    spec: undefined,
    ports: [{ name: '', protocol: Protocol.TCP, targetPort: 80, publishedPort: 8080, publishMode: Mode.INGRESS }],
    virtualIps: [],
  },
};

it('what the kernel does not take is offered again until it does, and never after that', async () => {
  const clock = new FakeClock();
  const offered: string[] = [];
  const balancer = new Balancer({
    nodeId: 'node',
    clock,
    log: silentLogger,
    addressOf: async () => undefined,
    kernel: {
      canBalance: async () => true,
      load: async (ruleset) => {
        if (offered.push(ruleset) < 3) throw new Error('resource busy');
      },
      allowPassage: async () => undefined,
    },
  });
  balancer.meetPeers({ updated: [], removed: [] }, true);
  await balancer.note(published, published.status);
  for (let minute = 0; minute < 10; minute++) await clock.advance(60_000);
  expect(offered.at(-1)).toContain('8080');
  expect(offered).toHaveLength(3);
  await balancer.remove();
  expect(offered).toHaveLength(4);
});
