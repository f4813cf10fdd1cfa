/** What commands that change something tell: people a line at once, programs one object or list in the end. */
import type { CommandContext } from './context.ts';
import { isForPeople, printValue } from './output.ts';

interface Outcome {
  /** For people; with its line end. */
  readonly text: string;
  /** For `name` output. */
  readonly name: string;
  /** For JSON and YAML. */
  readonly value: unknown;
}

/** Tells of the one thing that was done. */
export function printOutcome({ terminal, output }: CommandContext, { text, name, value }: Outcome): void {
  if (isForPeople(output)) terminal.out(text);
  else if (output.output === 'name') terminal.out(`${name}\n`);
  else printValue(terminal, value, output);
}

/** Says that it is done where there is nothing to show: programs have the exit code. */
export function printDone({ terminal, output }: CommandContext, text: string): void {
  if (isForPeople(output)) terminal.out(text);
}

/** Several things that are done one after the other. */
export class Outcomes {
  readonly #context: CommandContext;
  readonly #done: Omit<Outcome, 'text'>[] = [];

  constructor(context: CommandContext) {
    this.#context = context;
  }

  /** Tells people. */
  say(text: string): void {
    printDone(this.#context, text);
  }

  /** Keeps what was done for programs; the value is the name unless given. */
  add(name: string, value: unknown = name): void {
    this.#done.push({ name, value });
  }

  /** Tells programs all that was done, also when the rest failed. */
  print(): void {
    const { terminal, output } = this.#context;
    if (isForPeople(output)) return;
    if (output.output === 'name') terminal.out(this.#done.map(({ name }) => `${name}\n`).join(''));
    else {
      printValue(
        terminal,
        this.#done.map(({ value }) => value),
        output,
      );
    }
  }

  /** Does the work and prints. */
  async during(work: () => Promise<void>): Promise<void> {
    try {
      await work();
    } finally {
      this.print();
    }
  }
}
