import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Room } from '../../../../src/api/connections/room.ts';

const KIB = 1024;
const MIB = 1024 * KIB;

/** A room in which each of some connections has so many bytes under way. */
function roomWith(...bytes: number[]): Room {
  const room = new Room();
  for (const each of bytes) room.changed(0, each);
  return room;
}

describe('the room for slow readers', () => {
  it('is for a connection up to 8 MiB, and for all up to 32', () => {
    expect(roomWith(8 * MIB).isFor(8 * MIB)).toBe(true);
    expect(roomWith(8 * MIB + 1).isFor(8 * MIB + 1)).toBe(false);
    expect(roomWith(7 * MIB, 7 * MIB, 7 * MIB, 7 * MIB).isFor(7 * MIB)).toBe(true);
    expect(roomWith(8 * MIB, 8 * MIB, 8 * MIB, 8 * MIB, 8 * MIB).isFor(MIB)).toBe(false);
  });

  it('always has some for each', () => {
    expect(roomWith(8 * MIB, 8 * MIB, 8 * MIB, 8 * MIB, 8 * MIB).isFor(64 * KIB)).toBe(true);
  });

  it('is as free as before when what was under way has left, in whatever steps', () => {
    fc.assert(
      fc.property(fc.array(fc.array(fc.nat(20 * MIB), { maxLength: 5 }), { maxLength: 10 }), (connections) => {
        const room = new Room();
        for (const steps of connections) {
          let before = 0;
          for (const now of [...steps, 0]) {
            room.changed(before, now);
            before = now;
          }
        }
        room.changed(0, 32 * MIB + 64 * KIB);
        expect(room.isFor(8 * MIB)).toBe(true);
        room.changed(0, 64 * KIB + 1);
        expect(room.isFor(8 * MIB)).toBe(false);
      }),
    );
  });

  it('wakes those who wait once there is some, and nobody who left', () => {
    const room = roomWith(8 * MIB, 8 * MIB, 8 * MIB, 8 * MIB, 8 * MIB);
    let woken = '';
    const one = { goOn: () => void (woken += 'a') };
    const other = { goOn: () => void (woken += 'b') };
    room.wait(one);
    room.wait(other);
    room.leave(other);
    room.wake();
    expect(woken).toBe('');
    room.changed(8 * MIB, 0);
    room.wake();
    expect(woken).toBe('a');
  });
});
