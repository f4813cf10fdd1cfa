import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { SwarmError } from '../../../src/common/errors.ts';
import { FrameReader, RawReader } from '../../../src/cli/commands/logs/frames.ts';
import { LogStream } from '../../../src/proto/generated/docker/swarmkit/v1/logbroker.ts';
import { Task } from '../../../src/proto/generated/docker/swarmkit/v1/objects.ts';
import { NODE_ID } from '../../support/api-rig.ts';
import { cliRig } from '../../support/cli.ts';

let rig: Awaited<ReturnType<typeof cliRig>>;
beforeAll(async () => {
  rig = await cliRig();
  for (const name of ['web', 'worker']) {
    await rig.run('service', 'create', '--detach', '--name', name, 'host', 'true');
    const serviceId = rig.store.read.service.byName(name)?.id ?? '';
    await rig.store.update((tx) =>
      tx.task.create(Task.fromPartial({ id: `task-of-${name}`, serviceId, slot: 2, nodeId: NODE_ID })),
    );
  }
  rig.logs = async function* (request) {
    const [serviceId = ''] = request.selector?.serviceIds ?? [];
    const name = rig.store.read.service.get(serviceId)?.spec?.annotations?.name ?? '';
    yield {
      messages: [
        {
          context: { serviceId, nodeId: NODE_ID, taskId: `task-of-${name}` },
          timestamp: { seconds: 1_700_000_000, nanos: 5 },
          stream: LogStream.STDOUT,
          data: Buffer.from(`hello from ${name}\n`),
          attrs: [],
        },
      ],
    };
  };
});
afterAll(() => rig.close());

const lines = (text: string): readonly string[] => text.trimEnd().split('\n').toSorted();

describe('logs', () => {
  it('of several services name the task of each line', async () => {
    const { code, stdout } = await rig.run('service', 'logs', 'web', 'worker');
    expect(code).toBe(0);
    expect(lines(stdout).map((line) => line.replace(/ +\|/, ' |'))).toEqual([
      'web.2@host1 | hello from web',
      'worker.2@host1 | hello from worker',
    ]);
  });

  it('are as they were printed with --raw, and have times when asked', async () => {
    expect((await rig.run('service', 'logs', '--raw', 'web')).stdout).toBe('hello from web\n');
    const timed = await rig.run('service', 'logs', '--timestamps', 'web');
    expect(timed.stdout).toBe('web.2@host1 | 2023-11-14T22:13:20.000000005Z hello from web\n');
  });

  it('of several services go on when those of one are incomplete, and then say what is missing', async () => {
    const { logs } = rig;
    rig.logs = async function* (request, signal) {
      yield* logs(request, signal);
      const name = rig.store.read.service.get(request.selector?.serviceIds[0] ?? '')?.spec?.annotations?.name;
      if (name === 'web') throw new SwarmError('unknown', 'warning: incomplete log stream: node n2 is not available');
    };
    const { code, stdout, stderr } = await rig.run('service', 'logs', '--raw', 'web', 'worker');
    rig.logs = logs;
    expect([code, lines(stdout)]).toEqual([1, ['hello from web', 'hello from worker']]);
    expect(stderr).toContain('web: Error grabbing logs:');
    expect(stderr).toContain('node n2 is not available');
  });

  it('are asked for with what the flags say', async () => {
    const asked: unknown[] = [];
    const { logs } = rig;
    rig.logs = (request, signal) => {
      asked.push(request.options);
      return logs(request, signal);
    };
    await rig.run('service', 'logs', '--tail', '3', '--since', '2024-01-01T00:00:00Z', '--follow', 'web', 'worker');
    rig.logs = logs;
    const options = {
      follow: true,
      tail: -4,
      since: { seconds: 1_704_067_200 },
      streams: [LogStream.STDOUT, LogStream.STDERR],
    };
    expect(asked).toMatchObject([options, options]);
  });

  it('of a service that is not there end with 3, and the others are not begun', async () => {
    expect(await rig.run('service', 'logs', 'web', 'none')).toMatchObject({ code: 3, stdout: '' });
  });

  it('of a terminal keep letters whole that come in two pieces', () => {
    const reader = new RawReader();
    const bytes = Buffer.from('Größe\n');
    const pieces = Array.from(bytes, (_, i) => bytes.subarray(i, i + 1));
    expect(
      pieces
        .flatMap((piece) => reader.read(piece))
        .map(({ text }) => text)
        .join(''),
    ).toBe('Größe\n');
  });

  it('are put together again however the stream was cut', () => {
    const frame = Buffer.from([2, 0, 0, 0, 0, 0, 0, 3, 97, 98, 10]);
    const reader = new FrameReader();
    const found = Array.from(Buffer.concat([frame, frame])).flatMap((byte) => reader.read(Buffer.from([byte])));
    expect(found).toEqual([
      { stream: 'stderr', text: 'ab\n' },
      { stream: 'stderr', text: 'ab\n' },
    ]);
  });
});
