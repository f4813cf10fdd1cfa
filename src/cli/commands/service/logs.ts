import type { Command } from 'commander';
import { UsageError } from '../../usage-error.ts';
import { milliseconds, wholeNumber } from '../../values.ts';
import { interrupted } from '../../interrupted.ts';
import { action, isSet, textFlag, type Flags } from '../../context.ts';
import type { Terminal } from '../../terminal.ts';

/** Header of a frame: stream, three zeros, length of the payload. */
const HEADER_BYTES = 8;
const STDERR = 2;
const ERROR = 3;

/** Unix seconds, from a time, such seconds, or how long ago. */
function since(flags: Flags): number {
  const text = textFlag(flags, 'since');
  if (text === undefined) return 0;
  if (/^\d{9,}(\.\d+)?$/.test(text)) return Number(text);
  if (!/^\d{4}-/.test(text)) return (Date.now() - milliseconds('--since', text)) / 1000;
  const ms = Date.parse(text);
  if (Number.isNaN(ms))
    throw new UsageError(`--since "${text}": write a time such as 2026-08-20T10:00:00Z, or a duration such as 10m`);
  return ms / 1000;
}

/** "all" or a number of lines. */
function tail(flags: Flags): string | number {
  const text = textFlag(flags, 'tail') ?? 'all';
  return text === 'all' ? text : wholeNumber('--tail', text);
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
    const query = {
      stdout: true,
      stderr: true,
      follow: isSet(flags, 'follow'),
      tail: tail(flags),
      timestamps: isSet(flags, 'timestamps'),
      since: since(flags),
    };
    const signal = interrupted();
    let pending = Buffer.alloc(0);
    for await (const chunk of client.stream(`/${noun}s/${encodeURIComponent(name)}/logs`, query, signal)) {
      pending = printFrames(Buffer.concat([pending, chunk]), terminal);
    }
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
