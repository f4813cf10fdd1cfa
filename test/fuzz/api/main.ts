/**
 * `npm run fuzz:api [-- --seed N] [--requests N]`: spoiled requests, made from those the docker CLI sends, against the API
 * over a real store. Exit code 1 when an answer was a fault, or memory went on growing.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { apiRig } from '../../support/api-rig.ts';
import { fuzz } from './fuzz.ts';

const MAX_GROWTH_BYTES = 100_000_000;
const SHOWN_FAULTS = 20;

const { values } = parseArgs({ options: { seed: { type: 'string' }, requests: { type: 'string', default: '50000' } } });
const seed = Number(values.seed ?? Date.now() % 1_000_000);
const folder = await mkdtemp(join(tmpdir(), 'swarmd-fuzz-'));
const socketPath = join(folder, 'api.sock');
const rig = await apiRig();
await rig.api.listen(`unix://${socketPath}`);

const heap = (): number => {
  globalThis.gc?.();
  return process.memoryUsage().heapUsed;
};
// What is loaded or made once is no growth.
await fuzz({ socketPath, seed, requests: 2_000 });
const before = heap();
const startedMs = performance.now();
const { sent, byStatus, faults } = await fuzz({ socketPath, seed: seed + 1, requests: Number(values.requests) });
const seconds = (performance.now() - startedMs) / 1000;
const growth = heap() - before;
await rig.close();
await rm(folder, { recursive: true });

console.log(`seed ${seed}: ${sent} requests in ${seconds.toFixed(1)} s, by status ${JSON.stringify(byStatus)}`);
console.log(`heap grew by ${(growth / 1e6).toFixed(1)} MB; ${faults.length} faults`);
for (const fault of faults.slice(0, SHOWN_FAULTS)) console.log(`  ${fault}`);
process.exit(faults.length > 0 || growth > MAX_GROWTH_BYTES ? 1 : 0);
