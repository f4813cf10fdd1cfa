/** Arithmetic of majorities, alone and in pairs. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { jointIndex, jointVote } from '../src/quorum/joint.ts';
import { majorityIndex, majorityVote } from '../src/quorum/majority.ts';
import { VoteResult } from '../src/quorum/vote-result.ts';

const indexes = fc.array(fc.nat(20), { minLength: 1, maxLength: 9 });
const ids = fc.uniqueArray(fc.integer({ min: 1, max: 9 }).map(String), { maxLength: 7 });
const votes = fc
  .dictionary(fc.integer({ min: 1, max: 9 }).map(String), fc.boolean())
  .map((each) => new Map(Object.entries(each)));

describe('index of a majority', () => {
  it('is the largest index that more than half have reached', () => {
    fc.assert(
      fc.property(indexes, (list) => {
        const result = majorityIndex(list.slice());
        const reached = (index: number) => list.filter((each) => each >= index).length > list.length / 2;
        expect([reached(result), reached(result + 1)]).toEqual([true, false]);
      }),
    );
  });

  it('is unbounded without voters', () => {
    expect([majorityIndex([]), jointIndex([], [3])]).toEqual([Infinity, 3]);
  });

  it('of a pair is what both halves have reached, never just the new one', () => {
    fc.assert(
      fc.property(indexes, indexes, (first, second) => {
        const expected = Math.min(majorityIndex(first.slice()), majorityIndex(second.slice()));
        expect(jointIndex(first.slice(), second.slice())).toBe(expected);
        expect(jointIndex(second.slice(), first.slice())).toBe(expected);
      }),
    );
    expect(jointIndex([9, 9, 9], [1, 1, 9])).toBe(1);
    expect(jointIndex([1, 1, 9], [9, 9, 9])).toBe(1);
  });
});

describe('vote', () => {
  it('is won by consent of more than half, and lost when that cannot be any more', () => {
    fc.assert(
      fc.property(ids, votes, (voters, given) => {
        const yes = voters.filter((id) => given.get(id) === true).length;
        const no = voters.filter((id) => given.get(id) === false).length;
        const result = majorityVote(voters, given);
        if (voters.length === 0 || yes > voters.length / 2) expect(result).toBe(VoteResult.Won);
        else if (no >= voters.length / 2) expect(result).toBe(VoteResult.Lost);
        else expect(result).toBe(VoteResult.Pending);
      }),
    );
  });

  it('of a pair is won when both halves won, lost when one lost', () => {
    fc.assert(
      fc.property(ids, ids, votes, (first, second, given) => {
        const results = [majorityVote(first, given), majorityVote(second, given)];
        const result = jointVote(first, second, given);
        expect(jointVote(second, first, given)).toBe(result);
        if (results.includes(VoteResult.Lost)) expect(result).toBe(VoteResult.Lost);
        else expect(result).toBe(results.includes(VoteResult.Pending) ? VoteResult.Pending : VoteResult.Won);
      }),
    );
  });
});
