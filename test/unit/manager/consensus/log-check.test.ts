import { afterEach, describe, expect, it } from 'vitest';
import { FakeClock } from '../../../../src/common/clock.ts';
import { silentLogger } from '../../../../src/common/log.ts';
import { LogCheck } from '../../../../src/manager/consensus/log-check.ts';

const MINUTE_MS = 60_000;
const DAY_MS = 24 * 60 * MINUTE_MS;

describe('the check of the raft log at rest', () => {
  const clock = new FakeClock();
  let checks = 0;
  let damage: string | undefined;
  let check: LogCheck;
  const begin = (): void => {
    checks = 0;
    damage = undefined;
    check = new LogCheck({
      scrub: () => {
        checks++;
        return damage === undefined ? Promise.resolve() : Promise.reject(new Error(damage));
      },
      clock,
      random: () => 0.5,
      log: silentLogger,
    });
    check.start();
  };
  afterEach(() => check.stop());

  it('comes some minutes after the start, then once a day', async () => {
    begin();
    await clock.advance(14 * MINUTE_MS);
    expect(checks).toBe(0);
    expect(check.last).toBeUndefined();
    await clock.advance(2 * MINUTE_MS);
    expect(checks).toBe(1);
    expect(check.last).toMatchObject({ damage: '', tookMs: 0 });
    await clock.advance(DAY_MS);
    expect(checks).toBe(1);
    await clock.advance(DAY_MS / 8);
    expect(checks).toBe(2);
  });

  it('tells of damage, goes on checking, and tells when it is gone', async () => {
    begin();
    damage = 'raft log is corrupt: 1.wal at byte 700';
    await clock.advance(20 * MINUTE_MS);
    expect(check.last?.damage).toBe('raft log is corrupt: 1.wal at byte 700');
    damage = undefined;
    await clock.advance(2 * DAY_MS);
    expect(check.last?.damage).toBe('');
  });

  it('ends with the manager, whatever a check under way finds', async () => {
    let fail: (error: Error) => void = () => undefined;
    check = new LogCheck({
      scrub: () => new Promise((_resolve, reject) => (fail = reject)),
      clock,
      random: () => 0,
      log: silentLogger,
    });
    check.start();
    await clock.advance(11 * MINUTE_MS);
    check.stop();
    fail(new Error('the log is closed'));
    await clock.advance(DAY_MS * 2);
    expect(check.last).toBeUndefined();
    expect(clock.pending).toBe(0);
  });
});
