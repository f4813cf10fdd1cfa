import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { FrameReader, frameOf } from '../../../../src/common/grpc/frames.ts';

describe('frames of messages', () => {
  it('are found wherever what was received is cut', () => {
    const bytes = fc.uint8Array({ maxLength: 40 });
    fc.assert(
      fc.property(
        fc.array(bytes, { maxLength: 8 }),
        fc.infiniteStream(fc.integer({ min: 1, max: 50 })),
        (sent, cuts) => {
          const stream = Buffer.concat(sent.map(frameOf));
          const reader = new FrameReader();
          const received: Buffer[] = [];
          for (let at = 0; at < stream.length;) {
            const end = at + (cuts.next().value as number);
            received.push(...reader.read(stream.subarray(at, end)));
            at = end;
          }
          expect(received.map((message) => [...message])).toEqual(sent.map((message) => [...message]));
          expect(reader.isWithin).toBe(false);
        },
      ),
    );
  });

  it('know a message that is not complete', () => {
    const reader = new FrameReader();
    expect(reader.read(frameOf(Buffer.from('hello')).subarray(0, 7))).toEqual([]);
    expect(reader.isWithin).toBe(true);
  });

  it('refuse a message that is too large before it has come, and one that is compressed', () => {
    const large = frameOf(Buffer.alloc(101)).subarray(0, 5);
    expect(() => new FrameReader(100).read(large)).toThrow('a message of 101 bytes is larger than 100');
    const compressed = frameOf(Buffer.alloc(3));
    compressed[0] = 1;
    expect(() => new FrameReader().read(compressed)).toThrow('compressed messages are not taken');
  });
});
