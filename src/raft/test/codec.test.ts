/** Payload of configuration changes, as etcd's raftpb writes it. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ConfChangeTransition, ConfChangeType, EntryType } from '../src/types.ts';
import type { ConfChange, ConfChangeV2 } from '../src/types.ts';
import { decodeConfChange, encodeConfChange } from '../src/codec/conf-change-codec.ts';
import { LEAVE_JOINT } from '../src/membership/conf-change.ts';

const peer = fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }).map(String);
const context = fc.uint8Array({ maxLength: 40 });
const type = fc.constantFrom(...Object.values(ConfChangeType));
const single = fc.record({ type, nodeId: peer });
const transition = fc.constantFrom(...Object.values(ConfChangeTransition));

describe('payload of configuration changes', () => {
  it('survives a round trip, ids of 64 bits included', () => {
    const first = fc.record({ id: peer, type, nodeId: peer, context });
    const second = fc.record({ transition, changes: fc.array(single, { maxLength: 5 }), context });
    fc.assert(
      fc.property(first, second, (v1: ConfChange, v2: ConfChangeV2) => {
        expect(decodeConfChange(EntryType.ConfChange, encodeConfChange(v1))).toEqual({ ok: true, value: v1 });
        expect(decodeConfChange(EntryType.ConfChangeV2, encodeConfChange(v2))).toEqual({ ok: true, value: v2 });
      }),
    );
  });

  it('has the bytes of raftpb', () => {
    const v1: ConfChange = { id: '1', type: ConfChangeType.RemoveNode, nodeId: '300', context: Uint8Array.of(7) };
    expect([...encodeConfChange(v1)]).toEqual([0x08, 1, 0x10, 1, 0x18, 0xac, 0x02, 0x22, 1, 7]);
    const v2: ConfChangeV2 = {
      transition: ConfChangeTransition.JointExplicit,
      changes: [{ type: ConfChangeType.AddLearnerNode, nodeId: '2' }],
      context: new Uint8Array(0),
    };
    expect([...encodeConfChange(v2)]).toEqual([0x08, 2, 0x12, 4, 0x08, 3, 0x10, 2]);
    expect(encodeConfChange(LEAVE_JOINT)).toHaveLength(0);
  });

  it('reads nothing as the change that leaves a joint configuration, and skips fields it does not know', () => {
    expect(decodeConfChange(EntryType.ConfChangeV2, new Uint8Array(0))).toEqual({ ok: true, value: LEAVE_JOINT });
    const withUnknown = Uint8Array.of(0x50, 1, 0x59, 1, 2, 3, 4, 5, 6, 7, 8, 0x65, 1, 2, 3, 4, 0x7a, 1, 9, 0x08, 0);
    expect(decodeConfChange(EntryType.ConfChangeV2, withUnknown)).toEqual({ ok: true, value: LEAVE_JOINT });
  });

  it('refuses malformed bytes with a reason', () => {
    const broken: readonly (readonly number[])[] = [
      [0x08],
      [0x08, 0xff],
      [0x22, 5, 1],
      [0x08, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01],
      [0x08, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f],
      [0x0b],
      [0x00, 1],
      [0x10, 9],
      [0x12, 1, 1],
      [0x20, 1],
    ];
    for (const each of broken) {
      const result = decodeConfChange(EntryType.ConfChange, Uint8Array.from(each));
      expect(result.ok, each.join(' ')).toBe(false);
    }
    expect(decodeConfChange(EntryType.ConfChangeV2, Uint8Array.of(0x08, 7)).ok).toBe(false);
    expect(decodeConfChange(EntryType.ConfChangeV2, Uint8Array.of(0x12, 2, 0x08, 9)).ok).toBe(false);
    expect(decodeConfChange(EntryType.Normal, new Uint8Array(0)).ok).toBe(false);
  });

  it('never throws, whatever the bytes', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 60 }), fc.constantFrom(1 as const, 2 as const), (bytes, entryType) => {
        expect(typeof decodeConfChange(entryType, bytes).ok).toBe('boolean');
      }),
    );
  });

  it('does not share memory with the entry', () => {
    const payload = Buffer.from(encodeConfChange({ id: '0', type: 0, nodeId: '1', context: Uint8Array.of(1, 2) }));
    const result = decodeConfChange(EntryType.ConfChange, payload);
    payload.fill(0);
    expect(result).toMatchObject({ value: { context: Uint8Array.of(1, 2) } });
  });
});
