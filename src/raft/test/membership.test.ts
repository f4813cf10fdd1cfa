/** Membership as a function from one configuration to the next. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ConfChangeType } from '../src/types.ts';
import type { ConfChangeSingle, ConfState } from '../src/types.ts';
import { enterJoint, leaveJoint, restoreMembership, simpleChange } from '../src/membership/changer.ts';
import { assertConsistent, describeConfiguration } from '../src/membership/draft.ts';
import type { Membership } from '../src/membership/draft.ts';
import { comparePeerIds, hexId, isPeerId, sortedPeerIds } from '../src/peer-id.ts';
import { ProgressTracker } from '../src/tracker/tracker.ts';
import { config } from './kit/node.ts';

const tracker = new ProgressTracker(10, 0);
const newProgress = (isLearner: boolean) => tracker.newProgress(1, isLearner);
const one: Membership = restoreMembership(config({ voters: ['1'] }), newProgress);

const changes = fc.array(
  fc.record({
    type: fc.constantFrom(...Object.values(ConfChangeType)),
    // Node 1 stays a voter, so that no change removes them all.
    nodeId: fc.integer({ min: 2, max: 7 }).map(String),
  }),
  { minLength: 1, maxLength: 12 },
);

function ok(result: ReturnType<typeof leaveJoint>): Membership {
  if (!result.ok) throw new Error(result.error);
  return result.membership;
}

function state({ config: each }: Membership): ConfState {
  return each;
}

describe('membership', () => {
  it('is the same by simple changes one after the other and by one joint change', () => {
    fc.assert(
      fc.property(changes, changes, (before, after) => {
        const start = before.reduce((membership, each) => ok(simpleChange(membership, [each], newProgress)), one);
        const simple = after.reduce((membership, each) => ok(simpleChange(membership, [each], newProgress)), start);
        const joint = ok(enterJoint(start, after, false, newProgress));
        expect(state(ok(leaveJoint(joint, newProgress)))).toEqual(state(simple));
      }),
    );
  });

  it('is restored from its configuration alone, joint or not', () => {
    fc.assert(
      fc.property(changes, changes, fc.boolean(), (before, after, autoLeave) => {
        const start = before.reduce((membership, each) => ok(simpleChange(membership, [each], newProgress)), one);
        for (const membership of [start, ok(enterJoint(start, after, autoLeave, newProgress))]) {
          const shuffled = { ...state(membership), voters: state(membership).voters.toReversed() };
          const restored = restoreMembership(shuffled, newProgress);
          expect(state(restored)).toEqual(state(membership));
          expect([...restored.progress.keys()].sort()).toEqual([...membership.progress.keys()].sort());
          for (const [id, progress] of restored.progress) {
            expect(progress.isLearner).toBe(membership.progress.get(id)?.isLearner);
          }
        }
      }),
    );
  });

  it('is never changed in place, and not at all by a change that fails', () => {
    const two = ok(simpleChange(one, [{ type: ConfChangeType.AddNode, nodeId: '2' }], newProgress));
    const before = JSON.stringify(two.config);
    const demote: ConfChangeSingle = { type: ConfChangeType.AddLearnerNode, nodeId: '2' };
    const remove: ConfChangeSingle = { type: ConfChangeType.RemoveNode, nodeId: '1' };
    expect(simpleChange(two, [demote, remove], newProgress)).toEqual({ ok: false, error: 'removed all voters' });
    expect(two.progress.get('2')?.isLearner).toBe(false);
    ok(simpleChange(two, [demote], newProgress));
    expect([JSON.stringify(two.config), two.progress.get('2')?.isLearner]).toEqual([before, false]);
  });

  it('refuses types of change it does not know', () => {
    const unknown = { type: 9 as ConfChangeType, nodeId: '2' };
    expect(simpleChange(one, [unknown], newProgress)).toEqual({ ok: false, error: 'unexpected conf type 9' });
  });

  it('is not restored from a configuration that contradicts itself', () => {
    const broken: readonly Partial<ConfState>[] = [
      { voters: ['1', '2'], learners: ['2'] },
      { voters: ['1'], learnersNext: ['2'] },
      { voters: ['1'], autoLeave: true },
      { learners: ['1'] },
      { voters: ['1'], votersOutgoing: ['2'], learners: ['2'] },
    ];
    for (const fields of broken) expect(() => restoreMembership(config(fields), newProgress)).toThrow();
    expect(() => assertConsistent({ config: config({ voters: ['1'] }), progress: new Map() })).toThrow(/no progress/);
  });

  it('has a text form with hexadecimal ids', () => {
    const joint = config({
      voters: ['1', '16'],
      votersOutgoing: ['2'],
      learners: ['3'],
      learnersNext: ['2'],
      autoLeave: true,
    });
    expect(describeConfiguration(joint, hexId)).toBe('voters=(1 10)&&(2) learners=(3) learners_next=(2) autoleave');
  });
});

describe('peer ids', () => {
  it('are ordered as numbers, whatever their size', () => {
    const ids = fc.array(fc.bigInt({ min: 1n, max: 2n ** 64n - 3n }));
    fc.assert(
      fc.property(ids, (numbers) => {
        const sorted = sortedPeerIds(numbers.map(String));
        expect(sorted).toEqual([...new Set(numbers)].sort((a, b) => (a < b ? -1 : 1)).map(String));
      }),
    );
    expect(comparePeerIds('9', '10')).toBeLessThan(0);
  });

  it('are canonical decimals up to 2^64 - 3', () => {
    expect(['1', '18446744073709551613'].every(isPeerId)).toBe(true);
    expect(['0', '01', '-1', 'a', '', '18446744073709551614', '99999999999999999999'].some(isPeerId)).toBe(false);
  });

  it('are shown in hexadecimal without loss', () => {
    expect(['0', '255', '18446744073709551613'].map(hexId)).toEqual(['0', 'ff', 'fffffffffffffffd']);
  });
});
