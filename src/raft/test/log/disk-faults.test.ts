import { describe, expect, it } from 'vitest';
import { runCampaign } from '../../src/testing/disk-faults/campaign.ts';
import { makeSubjects } from '../../src/testing/disk-faults/subjects.ts';

/** `npm run simulate:disk` does ten thousand. */
const FAULTS = 1500;

describe('a single fault of the disk', () => {
  it(`never makes a log look whole that is not (${FAULTS} faults)`, async () => {
    const subjects = await makeSubjects();
    const { counts, wrong } = await runCampaign(subjects, 1, FAULTS);
    expect(wrong).toEqual([]);
    for (const [verdict, count] of Object.entries(counts)) expect(count, verdict).toBeGreaterThan(0);
  }, 120_000);
});
