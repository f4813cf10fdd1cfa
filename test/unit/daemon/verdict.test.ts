import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { judge } from '../../../src/daemon/rescue/verdict.ts';

const log = (
  raftId: string,
  lastTerm: number,
  lastIndex: number,
  commitIndex = lastIndex,
  voters = ['1', '2', '3'],
) => ({
  raftId,
  lastTerm,
  lastIndex,
  commitIndex,
  voters,
});

describe('the choice among surviving logs', () => {
  it('falls on the later term, however short its log', () => {
    expect(judge([log('1', 3, 100), log('2', 4, 90)]).best.raftId).toBe('2');
  });

  it('falls on the longer log of the same term', () => {
    expect(judge([log('1', 3, 100), log('2', 3, 101)]).best.raftId).toBe('2');
  });

  it('loses nothing when a majority of the voters is there', () => {
    const verdict = judge([log('1', 3, 100, 98), log('2', 3, 101, 99)]);
    expect(verdict).toMatchObject({ seen: 2, voters: 3, isComplete: true });
    expect(verdict.sentences.join(' ')).toContain('nothing that was acknowledged is lost');
    expect(verdict.sentences.join(' ')).toContain('Entries 100 to 101 are kept too');
  });

  it('says from where on changes may be lost when it is not', () => {
    const verdict = judge([log('1', 3, 100, 98)]);
    expect(verdict.isComplete).toBe(false);
    expect(verdict.sentences).toEqual([
      '1 of the 3 managers that decide were looked at.',
      'Certain: everything up to entry 98 was decided and is kept.',
      'May be lost: what the other managers acknowledged after entry 100.',
      'Entries 99 to 100 are kept too; whether all of them were acknowledged is not known.',
    ]);
  });

  it('does not count managers that no longer decide', () => {
    expect(judge([log('1', 3, 100), log('9', 2, 50)]).seen).toBe(1);
  });

  it('never falls on a log that another one is ahead of', () => {
    const anyLog = fc
      .record({
        raftId: fc.constantFrom('1', '2', '3'),
        lastTerm: fc.nat(5),
        lastIndex: fc.nat(20),
        commitIndex: fc.nat(20),
      })
      .map((survey) => ({ ...survey, voters: ['1', '2', '3'] }));
    fc.assert(
      fc.property(anyLog, fc.array(anyLog, { maxLength: 4 }), (first, others) => {
        const { best } = judge([first, ...others]);
        for (const other of [first, ...others]) {
          expect(best.lastTerm).toBeGreaterThanOrEqual(other.lastTerm);
          if (best.lastTerm === other.lastTerm) expect(best.lastIndex).toBeGreaterThanOrEqual(other.lastIndex);
        }
      }),
    );
  });
});
