import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { systemClock } from '../../../src/common/clock.ts';
import { silentLogger } from '../../../src/common/log.ts';
import { enrollWithToken } from '../../../src/identity/enroll.ts';
import { NodeIdentity } from '../../../src/identity/node-identity.ts';
import { CertificateRenewal } from '../../../src/identity/renewal.ts';
import { NodeSpec_Availability } from '../../../src/proto/generated/docker/swarmkit/v1/specs.ts';
import { startAuthority, type TestAuthority } from '../../support/authority.ts';

const DAY_MS = 24 * 3_600_000;

describe('renewal of a certificate', () => {
  let authority: TestAuthority;
  beforeEach(async () => {
    authority = await startAuthority();
  });
  afterEach(() => authority.close());

  it.each([
    ['ahead by most of its life', 85 * DAY_MS, 1],
    ['ahead by an hour', DAY_MS / 24, 0],
    ['back by an hour', -DAY_MS / 24, 0],
  ])('is no loop when the clock is %s', async (_how, aheadMs, renewals) => {
    const admission = { token: authority.token('worker'), availability: NodeSpec_Availability.ACTIVE };
    const environment = { clock: systemClock, log: silentLogger, signal: new AbortController().signal };
    const enrolled = await enrollWithToken([authority.address], admission, environment);
    const identity = await NodeIdentity.create(join(authority.directory, 'w'), enrolled.rootBundle, enrolled);
    let renewed = 0;
    identity.onChange(() => void renewed++);
    const renewal = new CertificateRenewal({
      identity,
      managers: () => [authority.address],
      clock: { ...systemClock, now: () => systemClock.now() + aheadMs },
      random: () => 0.5,
      log: silentLogger,
    });
    renewal.start();
    await expect.poll(() => renewed, { timeout: 15_000 }).toBe(renewals);
    // Time for one more, if there were one.
    await new Promise((resolve) => setTimeout(resolve, 500));
    renewal.stop();
    expect(renewed).toBe(renewals);
  });
});
