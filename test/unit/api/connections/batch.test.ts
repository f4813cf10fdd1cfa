import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { BatchWriter, EventKind, eventsOf } from '../../../../src/api/connections/batch.ts';

const plainKinds = Object.values(EventKind).filter((kind) => kind !== EventKind.data);
const event = fc.oneof(
  fc.record({
    kind: fc.constantFrom(...plainKinds),
    connection: fc.nat(),
    count: fc.nat(),
    data: fc.constant(new Uint8Array(0)),
  }),
  fc
    .record({ connection: fc.nat(), data: fc.uint8Array({ maxLength: 40 }) })
    .map(({ connection, data }) => ({ kind: EventKind.data, connection, count: data.length, data })),
);

describe('a batch of events', () => {
  it('gives back what was put in, in that order, each time', () => {
    const writer = new BatchWriter();
    fc.assert(
      fc.property(fc.array(event), (events) => {
        for (const { kind, connection, count, data } of events) {
          if (kind === EventKind.data) writer.addData(connection, data);
          else writer.add(kind, connection, count);
        }
        expect(writer.isEmpty).toBe(events.length === 0);
        const got = [...eventsOf(writer.take())];
        expect(got.map((one) => ({ ...one, data: [...one.data] }))).toEqual(
          events.map((one) => ({ ...one, data: [...one.data] })),
        );
        expect(writer.isEmpty).toBe(true);
      }),
    );
  });
});
