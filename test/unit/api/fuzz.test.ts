/** A short run of `npm run fuzz:api`, and followers that come and go. */
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { request, type ClientRequest } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { seededRandom } from '../../../src/common/random.ts';
import { fuzz } from '../../fuzz/api/fuzz.ts';
import { apiRig, type ApiRig } from '../../support/api-rig.ts';

const FOLLOWERS = 2_000;
/** Opened at once. */
const BATCH = 50;

let folder: string;
let socketPath: string;
let rig: ApiRig;
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'swarmd-fuzz-'));
  socketPath = join(folder, 'api.sock');
  rig = await apiRig();
  await rig.api.listen(`unix://${socketPath}`);
});
afterAll(async () => {
  await rig.close();
  rmSync(folder, { recursive: true });
});

it('spoiled requests are refused with the field and the reason', async () => {
  const { sent, faults } = await fuzz({ socketPath, seed: 1, requests: 600 });
  expect([sent >= 600, faults]).toEqual([true, []]);
}, 60_000);

it('followers of events and logs that leave at random leave nothing behind', async () => {
  let subscriptions = 0;
  rig.logs = async function* (_request, signal) {
    subscriptions++;
    if (!signal.aborted) await once(signal, 'abort');
    subscriptions--;
    yield { messages: [] };
  };
  const listeners = async (): Promise<number> => Number((await rig.call('GET', '/info')).json['NEventsListener']);
  const random = seededRandom(7);
  const open: ClientRequest[] = [];
  const follow = (path: string): Promise<void> =>
    new Promise((resolve, reject) => {
      const following = request({ socketPath, path, agent: false }, (response) => {
        response.on('error', () => undefined);
        response.resume();
        resolve();
      });
      following.on('error', reject);
      following.end();
      open.push(following);
    });
  const paths = Array.from({ length: FOLLOWERS }, () =>
    random() < 0.5 ? '/events' : '/services/kept/logs?stdout=1&follow=1',
  );
  while (paths.length > 0) {
    await Promise.all(paths.splice(0, BATCH).map(follow));
    for (let i = 0; i < BATCH / 2; i++) open.splice(Math.floor(random() * open.length), 1)[0]?.destroy();
  }
  await expect.poll(async () => (await listeners()) + subscriptions, { timeout: 30_000 }).toBe(open.length);
  for (const following of open) following.destroy();
  await expect.poll(async () => [await listeners(), subscriptions], { timeout: 30_000 }).toEqual([0, 0]);
}, 90_000);
