/** Keeping the bytes of specs changes no byte of what is sent and stored. */
import { BinaryWriter } from '@bufbuild/protobuf/wire';
import { beforeAll, describe, expect, it } from 'vitest';
import { Service, Task } from '../../../src/proto/generated/docker/swarmkit/v1/objects.ts';
import { TaskSpec } from '../../../src/proto/generated/docker/swarmkit/v1/specs.ts';
import { keepEncodedSpecs } from '../../../src/proto/keep-encoded.ts';

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
    keepEncodedSpecs();
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
});
