/** Asking before what cannot be taken back. */
import type { Command } from 'commander';
import { SwarmError } from '../common/errors.ts';
import type { Flags } from './context.ts';
import { isYes, type Terminal } from './terminal.ts';

export const addYes = (command: Command): Command => command.option('-y, --yes', 'do not ask');

/** Only people at a terminal are asked; scripts have said what they want. Throws cancelled when the answer is no. */
export async function confirm(terminal: Terminal, flags: Flags, question: string): Promise<void> {
  if (flags['yes'] === true || terminal.confirm === undefined) return;
  if (!(await terminal.confirm(question))) throw new SwarmError('cancelled', 'nothing was changed');
}

/** What scripts must say too, on standard input, as with the docker command line: silence is a no. */
export const isAgreed = async (terminal: Terminal, question: string): Promise<boolean> =>
  terminal.confirm ? terminal.confirm(question) : isYes((await terminal.line?.()) ?? '');
