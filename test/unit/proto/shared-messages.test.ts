/** Keeping the bytes of specs changes no byte of what is sent and stored. */
import { BinaryWriter } from '@bufbuild/protobuf/wire';
import { beforeAll, describe, expect, it } from 'vitest';
import { Service, Task } from '../../../src/proto/generated/docker/swarmkit/v1/objects.ts';
import { TaskSpec } from '../../../src/proto/generated/docker/swarmkit/v1/specs.ts';
import { shareSpecs } from '../../../src/proto/shared-messages.ts';

const spec = TaskSpec.fromPartial({
  runtime: { $case: 'container', value: { image: 'nginx', hostname: 'web', labels: { a: 'b' } } },
  resources: { reservations: { nanoCpus: 1e9, memoryBytes: 2 ** 33 } },
  forceUpdate: 2,
});
const task = { ...Task.fromPartial({ id: 't1', slot: 3, serviceId: 's1' }), spec };
const service = Service.fromPartial({ id: 's1', spec: { annotations: { name: 'web' } } });
const serviceWithTask = { ...service, spec: service.spec && { ...service.spec, task: spec } };

describe('specs whose bytes are kept', () => {
  let before: readonly Uint8Array[] = [];
  const all = () => [
    TaskSpec.encode(spec).finish(),
    Task.encode(task).finish(),
    Service.encode(serviceWithTask).finish(),
    Task.encode({ ...task, spec: undefined }).finish(),
  ];

  beforeAll(() => {
    before = all();
    shareSpecs();
  });

  it('are encoded as before, the first time and again', () => {
    expect(all()).toEqual(before);
    expect(all()).toEqual(before);
  });

  it('are written behind what a writer holds already', () => {
    const writer = new BinaryWriter().uint32(7);
    const bytes = TaskSpec.encode(spec, writer).finish();
    expect([...bytes]).toEqual([7, ...(before[0] ?? [])]);
  });

  it('decode to equal objects', () => {
    expect(Task.decode(Task.encode(task).finish())).toEqual(task);
  });

  it('are one object in all tasks and services that are read with equal ones', () => {
    const first = Task.decode(Task.encode(task).finish());
    const second = Task.decode(Task.encode({ ...task, id: 't2' }).finish());
    const other = Task.decode(Task.encode({ ...task, spec: { ...spec, forceUpdate: 3 } }).finish());
    expect(second.spec).toBe(first.spec);
    expect(Service.decode(Service.encode(serviceWithTask).finish()).spec?.task).toBe(first.spec);
    expect(other.spec).toEqual({ ...spec, forceUpdate: 3 });
  });

  it('are read whatever their length is', () => {
    for (const length of [0, 1, 100, 127, 128, 129, 16_000, 16_383, 16_384, 20_000]) {
      const long = { ...TaskSpec.fromPartial({}), logDriver: { name: 'x'.repeat(length), options: {} } };
      for (let i = 0; i < 2; i++) {
        expect(Task.decode(Task.encode({ ...task, slot: 7, spec: long }).finish())).toEqual({
          ...task,
          slot: 7,
          spec: long,
        });
      }
    }
  });

  it('are read behind a length that is written longer than it need be', () => {
    const bytes = TaskSpec.encode(TaskSpec.fromPartial({ forceUpdate: 2 })).finish();
    // Field 3, then the length in two bytes where one is enough.
    const message = Uint8Array.of(26, 0x80 | bytes.length, 0, ...bytes);
    expect(Task.decode(message).spec).toEqual(TaskSpec.fromPartial({ forceUpdate: 2 }));
  });
});
