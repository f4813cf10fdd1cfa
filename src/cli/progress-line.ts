/** One line that is rewritten on a terminal; elsewhere each change is a line of its own. */
import type { Terminal } from './terminal.ts';

export class ProgressLine {
  readonly #terminal: Terminal;
  #shown = '';

  constructor(terminal: Terminal) {
    this.#terminal = terminal;
  }

  show(text: string): void {
    if (text === this.#shown) return;
    this.#terminal.err(this.#terminal.isInteractive ? `\r\u001b[K${text}` : `${text}\n`);
    this.#shown = text;
  }

  end(text?: string): void {
    if (this.#terminal.isInteractive && this.#shown !== '') this.#terminal.err('\r\u001b[K');
    this.#shown = '';
    if (text !== undefined) this.#terminal.err(`${text}\n`);
  }
}
