import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { main } from '../../../src/daemon/main.ts';

describe('swarmd ends at once with exit code 2 and says why', () => {
  let said = '';
  beforeEach(() => {
    said = '';
    vi.spyOn(process.stderr, 'write').mockImplementation((text) => {
      said += String(text);
      return true;
    });
  });
  afterEach(() => {
    vi.restoreAllMocks();
  });

  it.each([
    ['', 'Usage: swarmd'],
    ['bogus', "unknown command 'bogus'"],
    ['manager --bogus', "unknown option '--bogus'"],
    ['manager --log-level loud', 'Allowed choices are trace'],
    ['manager --config /nowhere.yaml', 'config file /nowhere.yaml: ENOENT'],
    ['backup --out b --api bogus', 'write unix:///path/of/socket'],
    ['restore --from b --data-dir d --listen-addr x:99999', 'write host:port'],
    ['restore --from b --data-dir d --advertise-addr 0.0.0.0', 'others cannot reach it'],
    ['recover', "required option '--data-dir <dir...>' not specified"],
  ])('swarmd %s', async (words, why) => {
    expect(await main(['node', 'swarmd', ...words.split(' ').filter((word) => word !== '')])).toBe(2);
    expect(said).toContain(why);
  });

  it.each([
    ['manager --join 10.0.0.1:2377', 'print it on a manager with "swarmctl swarm join-token manager"'],
    ['manager --token @TOKEN', '--token @TOKEN: ENOENT'],
    ['worker --join 10.0.0.1:2377', 'print it on a manager with "swarmctl swarm join-token worker"'],
    ['worker', '--join: name a manager of the swarm'],
  ])('swarmd %s, before anybody is served', async (words, why) => {
    const folder = mkdtempSync(join(tmpdir(), 'swarmd-usage-'));
    // Nothing can be served there: had it been tried, that would be what is said.
    const where = ['--data-dir', folder, '--api', `unix://${folder}/none/swarmd.sock`];
    try {
      expect(await main(['node', 'swarmd', ...words.split(' '), ...where])).toBe(2);
    } finally {
      rmSync(folder, { recursive: true });
    }
    expect(said).toContain(why);
  });
});
