import type { Command } from 'commander';
import { parseDurationMs } from '../../../common/time.ts';
import { action, isSet, textFlag, type Flags } from '../../context.ts';
import type { Terminal } from '../../output.ts';

/** Header of a frame: stream, three zeros, length of the payload. */
const HEADER_BYTES = 8;
const STDERR = 2;
const ERROR = 3;

function since(flags: Flags): number {
  const text = textFlag(flags, 'since');
  if (text === undefined) return 0;
  const isTime = /^\d{4}-|^\d{9,}/.test(text);
  return isTime
    ? /^\d+$/.test(text)
      ? Number(text)
      : Date.parse(text) / 1000
    : (Date.now() - parseDurationMs(text)) / 1000;
}

export function logsCommand(parent: Command, terminal: Terminal, noun: 'service' | 'task'): void {
  const command = parent
    .command(`logs <${noun}>`)
    .description(`Show what the tasks of a ${noun} print`)
    .option('--follow', 'go on until interrupted')
    .option('-n, --tail <lines>', 'last lines of each task, or "all"', 'all')
    .option('--since <when>', 'only lines after a time, or younger than a duration such as 10m')
    .option('-t, --timestamps', 'show when each line was printed');
  action(command, terminal, 'table', async ({ client }, [name = ''], flags) => {
    const abort = new AbortController();
    const stop = (): void => abort.abort();
    process.once('SIGINT', stop);
    const query = {
      stdout: true,
      stderr: true,
      follow: isSet(flags, 'follow'),
      tail: textFlag(flags, 'tail'),
      timestamps: isSet(flags, 'timestamps'),
      since: since(flags),
    };
    let pending = Buffer.alloc(0);
    for await (const chunk of client.stream(`/${noun}s/${encodeURIComponent(name)}/logs`, query, abort.signal)) {
      pending = printFrames(Buffer.concat([pending, chunk]), terminal);
    }
    process.off('SIGINT', stop);
  });
}

/** Prints all whole frames and returns what is left. */
function printFrames(data: Buffer, terminal: Terminal): Buffer<ArrayBuffer> {
  let at = 0;
  while (data.length - at >= HEADER_BYTES) {
    const end = at + HEADER_BYTES + data.readUInt32BE(at + 4);
    if (end > data.length) break;
    const stream = data[at];
    const text = data.toString('utf8', at + HEADER_BYTES, end);
    if (stream === STDERR || stream === ERROR) terminal.err(text);
    else terminal.out(text);
    at = end;
  }
  return Buffer.from(data.subarray(at));
}
