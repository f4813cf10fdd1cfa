import { describe, expect, it } from 'vitest';
import { FakeClock, forwardClock } from '../../../src/common/clock.ts';

const HOUR_MS = 3_600_000;

describe('a clock that never goes back', () => {
  it('goes on from where it was when the system clock is set back, and follows it forward', async () => {
    const system = new FakeClock(1_000_000_000);
    const clock = forwardClock(system);
    expect(clock.now()).toBe(1_000_000_000);
    system.jump(-HOUR_MS);
    await system.advance(500);
    expect(clock.now()).toBe(1_000_000_500);
    system.jump(3 * HOUR_MS);
    expect(clock.now()).toBe(system.now());
    expect(clock.monotonic()).toBe(system.monotonic());
  });
});
