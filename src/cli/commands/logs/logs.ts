/** `service logs`, `task logs`: what tasks print, of one service or of several at once. */
import type { Command } from 'commander';
import { SwarmError } from '../../../common/errors.ts';
import type { ApiClient } from '../../client.ts';
import { action, isSet, textFlag, type Flags } from '../../context.ts';
import { interrupted } from '../../interrupted.ts';
import { moment } from '../../moment.ts';
import { paint, type Style, type Terminal } from '../../terminal.ts';
import type { ServiceObject, TaskObject } from '../../types.ts';
import { wholeNumber } from '../../values.ts';
import { FrameReader, RawReader, type LogText } from './frames.ts';
import { TaskNames } from './task-names.ts';

const COLOURS: readonly Style[] = ['cyan', 'green', 'magenta', 'yellow', 'blue', 'red'];

export function logsCommand(parent: Command, terminal: Terminal, noun: 'service' | 'task'): void {
  const command = parent
    .command(`logs <${noun}s...>`)
    .description(`Show what the tasks of one ${noun} or several print`)
    .option('-f, --follow', 'go on until interrupted')
    .option('-n, --tail <lines>', 'last lines of each task, or "all"', 'all')
    .option('--since <when>', 'only lines after a time, or younger than a duration such as 10m')
    .option('-t, --timestamps', 'show when each line was printed')
    .option('--raw', 'do not name the task before each line');
  action(command, terminal, ['table', 'wide'], async ({ client }, names, flags) => {
    const query = logsQuery(flags);
    const sources = await Promise.all(names.map((name) => sourceOf(client, noun, name)));
    const printer = new LinePrinter(terminal, isSet(flags, 'raw') ? undefined : new TaskNames(client));
    const failures: string[] = [];
    const stop = new AbortController();
    const signal = AbortSignal.any([interrupted(), stop.signal]);
    try {
      await Promise.all(
        sources.map(async (source, i) => {
          const reader = source.isRaw ? new RawReader() : new FrameReader();
          for await (const chunk of client.stream(source.path, query, signal)) {
            for (const frame of reader.read(chunk)) {
              if (frame.stream === 'failure') failures.push(`${source.service}: ${frame.text.trimEnd()}`);
              else await printer.print(frame, source, COLOURS[i % COLOURS.length] ?? 'cyan');
            }
          }
        }),
      );
    } finally {
      // One that failed ends the others.
      stop.abort();
    }
    // What there was has been shown by now.
    if (failures.length > 0) throw new SwarmError('unknown', failures.join('\n'));
  });
}

function logsQuery(flags: Flags) {
  const since = textFlag(flags, 'since');
  const tail = textFlag(flags, 'tail') ?? 'all';
  return {
    stdout: true,
    stderr: true,
    follow: isSet(flags, 'follow'),
    tail: tail === 'all' ? tail : wholeNumber('--tail', tail),
    timestamps: isSet(flags, 'timestamps'),
    since: since === undefined ? 0 : moment('--since', since),
    details: !isSet(flags, 'raw'),
  };
}

interface Source {
  readonly service: string;
  readonly path: string;
  /** The tasks have a terminal: their output has no frames and does not say which task it is of. */
  readonly isRaw: boolean;
}

async function sourceOf(client: ApiClient, noun: 'service' | 'task', name: string): Promise<Source> {
  const path = `/${noun}s/${encodeURIComponent(name)}`;
  const task = noun === 'task' ? await client.get<TaskObject>(path) : undefined;
  const service = await client.get<ServiceObject>(task ? `/services/${task.ServiceID}` : path);
  return {
    service: service.Spec.Name,
    path: `/${noun}s/${task?.ID ?? service.ID}/logs`,
    isRaw: (task?.Spec ?? service.Spec.TaskTemplate).ContainerSpec?.TTY === true,
  };
}

/** The time, if asked for, and the details the server puts before a line. */
const DETAILS = /^(\d{4}-\S+ )?(\S*com\.docker\.swarm\.task\.id=([^,\s]+)\S*) /;

class LinePrinter {
  readonly #terminal: Terminal;
  readonly #names: TaskNames | undefined;
  /** Widest name so far: the lines of all tasks stand under one another. */
  #width = 0;

  constructor(terminal: Terminal, names: TaskNames | undefined) {
    this.#terminal = terminal;
    this.#names = names;
  }

  async print({ stream, text }: LogText, { service }: Source, colour: Style): Promise<void> {
    const found = this.#names && DETAILS.exec(text);
    let line = text;
    if (this.#names && found) {
      const [head, time = '', , taskId = ''] = found;
      const name = await this.#names.of(service, taskId);
      this.#width = Math.max(this.#width, name.length);
      const label = `${name.padEnd(this.#width)} | `;
      line = `${this.#terminal.hasColours ? paint(colour, label) : label}${time}${text.slice(head.length)}`;
    }
    if (stream === 'stderr') this.#terminal.err(line);
    else this.#terminal.out(line);
  }
}
