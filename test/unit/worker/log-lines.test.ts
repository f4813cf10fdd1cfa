import { describe, expect, it } from 'vitest';
import { logLines } from '../../../src/worker/drivers/docker/log-lines.ts';

const STDOUT = 1;
const STDERR = 2;
const TIME = '2024-01-01T00:00:00.5Z';

function frame(stream: number, text: string, attributes = ''): Buffer {
  const payload = Buffer.from(`${TIME} ${attributes} ${text}`);
  const header = Buffer.from([stream, 0, 0, 0, 0, 0, 0, 0]);
  header.writeUInt32BE(payload.length, 4);
  return Buffer.concat([header, payload]);
}

async function linesOf(bytes: Buffer, isTty: boolean): Promise<readonly unknown[]> {
  const found: unknown[] = [];
  for await (const { stream, data, isOpen } of logLines(asChunks(bytes), isTty)) {
    found.push([stream, Buffer.from(data).toString(), isOpen === true]);
  }
  return found;
}

/** Cut where it hurts. */
async function* asChunks(bytes: Buffer): AsyncGenerator<Buffer> {
  for (let at = 0; at < bytes.length; at += 5) yield bytes.subarray(at, at + 5);
}

describe("the engine's log stream", () => {
  it('gives lines of both streams, and says which one was never ended', async () => {
    const bytes = Buffer.concat([frame(STDOUT, 'one\n'), frame(STDERR, 'two\n'), frame(STDOUT, 'three')]);
    expect(await linesOf(bytes, false)).toEqual([
      ['stdout', 'one', false],
      ['stderr', 'two', false],
      ['stdout', 'three', true],
    ]);
  });

  it('joins the parts of a long line', async () => {
    const bytes = Buffer.concat([frame(STDOUT, 'long '), frame(STDOUT, 'line\n')]);
    expect(await linesOf(bytes, false)).toEqual([['stdout', 'long line', false]]);
  });

  it('tells what the log driver noted with a line from the line', async () => {
    const lines = logLines(asChunks(frame(STDOUT, 'a=b c\n', 'E%3D+1=x%2Cy,tag=t')), false);
    const { value } = await lines.next();
    expect(value).toMatchObject({
      attributes: [
        { key: 'E= 1', value: 'x,y' },
        { key: 'tag', value: 't' },
      ],
      data: Buffer.from('a=b c'),
    });
  });

  it('cuts what a terminal printed into lines', async () => {
    const bytes = Buffer.from(`${TIME}  one\r\n${TIME}  two`);
    expect(await linesOf(bytes, true)).toEqual([
      ['stdout', 'one\r', false],
      ['stdout', 'two', true],
    ]);
  });
});
