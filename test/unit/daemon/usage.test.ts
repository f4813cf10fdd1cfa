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
});
