/** The environment of a service: lines of env_file, and over them what stands in the compose file. */
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { errorText } from '../../common/errors.ts';
import { UsageError } from '../usage-error.ts';
import type { Field } from './field.ts';
import type { Variables } from './interpolate.ts';
import type { Dictionary } from './shape.ts';

interface EnvironmentInput {
  readonly files: readonly { readonly path: string; readonly isRequired: boolean }[];
  readonly own: Dictionary<string | null> | undefined;
  /** The service. */
  readonly place: Field;
  readonly variables: Variables;
}

/**
 * A name without a value takes the one of the environment swarmctl runs in. Without one there, it stays a bare name, which
 * takes the variable of the image away; a line of a file is left out then.
 */
export function environmentOf({
  files,
  own,
  place,
  variables,
}: EnvironmentInput): Dictionary<string | null> | undefined {
  if (files.length === 0 && own === undefined) return undefined;
  const found: Record<string, string | null> = {};
  for (const file of files) {
    for (const [name, value] of Object.entries(readEnvFile(file, place))) {
      const given = value ?? variables(name);
      if (given !== undefined) found[name] = given;
    }
  }
  for (const [name, value] of Object.entries(own ?? {})) found[name] = value ?? variables(name) ?? null;
  return found;
}

/** NAME=value, one to a line; # begins a comment. What stands behind = is taken as it is. */
function readEnvFile({ path, isRequired }: EnvironmentInput['files'][number], place: Field): Dictionary<string | null> {
  const file = resolve(place.origin.folder, path);
  const field = place.at('env_file', path);
  let content: string;
  try {
    content = readFileSync(file, 'utf8');
  } catch (error) {
    if (!isRequired) return {};
    const { message } = field.wrong(
      `cannot be read: "${file}": ${errorText(error)}`,
      'correct the path; it starts at the folder of the compose file',
    );
    throw new UsageError(message, { cause: error });
  }
  const found: Record<string, string | null> = {};
  for (const [i, raw] of content
    .replace(/^\uFEFF/, '')
    .split(/\r?\n/)
    .entries()) {
    const line = raw.trimStart();
    if (line === '' || line.startsWith('#')) continue;
    const at = line.indexOf('=');
    const name = at < 0 ? line.trimEnd() : line.slice(0, at);
    if (name === '' || /\s/.test(name)) {
      throw field.wrong(`line ${i + 1} of ${path}, "${line}", is not a variable`, 'write NAME=value');
    }
    found[name] = at < 0 ? null : line.slice(at + 1);
  }
  return found;
}
