/** The contexts of a user: named endpoints with what it takes to trust them, in one file that only the user can read. */
import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { dirname, join } from 'node:path';
import { errorText, SwarmError } from '../common/errors.ts';
import type { TlsMaterial } from './client.ts';

export interface Context {
  readonly host: string;
  readonly description?: string;
  readonly tls?: TlsMaterial;
}

export interface Contexts {
  /** Name of the one in use. */
  readonly current?: string;
  readonly contexts: Readonly<Record<string, Context>>;
}

const NONE: Contexts = { contexts: {} };

const contextsFile = (): string =>
  join(process.env['XDG_CONFIG_HOME'] || join(homedir(), '.config'), 'swarmd', 'contexts.json');

/** Throws failedPrecondition when the file cannot be understood. */
export function readContexts(file = contextsFile()): Contexts {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return NONE;
    throw new SwarmError('failedPrecondition', `cannot read the contexts: ${errorText(error)}`, { cause: error });
  }
  try {
    const found = JSON.parse(text) as Partial<Contexts>;
    if (typeof found.contexts === 'object' && found.contexts !== null) return found as Contexts;
  } catch {
    // Told below.
  }
  throw new SwarmError('failedPrecondition', `${file} holds no contexts: correct it, or remove it and begin anew`);
}

export function writeContexts(contexts: Contexts, file = contextsFile()): void {
  mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
  const draft = `${file}.${process.pid}.tmp`;
  writeFileSync(draft, `${JSON.stringify(contexts, undefined, 2)}\n`, { mode: 0o600 });
  renameSync(draft, file);
}

/** Throws notFound naming those there are. */
export function contextNamed(contexts: Contexts, name: string): Context {
  const found = Object.hasOwn(contexts.contexts, name) ? contexts.contexts[name] : undefined;
  if (found) return found;
  const known = Object.keys(contexts.contexts).sort().join(', ');
  throw new SwarmError(
    'notFound',
    `context "${name}" not found; ${known === '' ? 'create it with "swarmctl context create"' : `there are: ${known}`}`,
  );
}
