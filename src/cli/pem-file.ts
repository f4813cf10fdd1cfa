/** Certificates and keys that flags name by file. */
import { readFileSync } from 'node:fs';
import { errorText } from '../common/errors.ts';
import { UsageError } from './usage-error.ts';

/** The text of a file. Throws a UsageError naming flag, file and remedy. */
export function pemFile(flag: string, file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    throw new UsageError(`${flag} "${file}": ${errorText(error)}; name a PEM file that you may read`);
  }
}
