/** Unmodified Docker Engines as workers of our managers: what their users do with a swarm, on two engines and three managers. */
import { afterAll, beforeAll } from 'vitest';
import { EngineLab } from '../../support/engine-lab.ts';
import { describeWith } from '../../support/requirements.ts';
import { describeAvailability } from './availability.ts';
import { describeManagerFailures } from './manager-failures.ts';
import { describeNodeFacts } from './node-facts.ts';
import { describeOverlayNetworks } from './overlay-networks.ts';
import { describeRootRotation } from './root-rotation.ts';
import { describeTasks } from './tasks.ts';
import { describeUpdates } from './updates.ts';

const CONFIGS = [
  { labels: ['disk=ssd'], 'node-generic-resources': ['gpu=first', 'gpu=second', 'slots=3'] },
  { labels: ['disk=spinning'] },
];

describeWith(['root', 'docker', 'dockerd', 'ip', 'busybox', 'vxlan'], 'joined Docker Engines', () => {
  let lab: EngineLab;
  beforeAll(async () => {
    lab = await EngineLab.start(3, CONFIGS);
    // So that a node that is gone is missed after three seconds.
    await lab.docker('swarm', 'update', '--dispatcher-heartbeat', '1s');
  });
  afterAll(() => lab?.close());

  const theLab = (): EngineLab => lab;
  describeNodeFacts(theLab);
  describeTasks(theLab);
  describeUpdates(theLab);
  describeOverlayNetworks(theLab);
  describeManagerFailures(theLab);
  describeRootRotation(theLab);
  describeAvailability(theLab);
});
