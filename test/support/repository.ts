/** Where this repository lies, for code that runs from its sources and code that was compiled into dist-test. */
import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const repositoryRoot = find(dirname(fileURLToPath(import.meta.url)));

function find(folder: string): string {
  if (existsSync(join(folder, 'bin', 'swarmd.js'))) return folder;
  if (dirname(folder) === folder) throw new Error('the folder of the repository was not found');
  return find(dirname(folder));
}
