/** What this build calls itself. */
import { readFileSync } from 'node:fs';

/** Version of swarmd, from its package.json. */
export const VERSION: string = readVersion();

function readVersion(): string {
  // From the sources and from dist, package.json lies two folders up.
  const text = readFileSync(new URL('../../package.json', import.meta.url), 'utf8');
  return (JSON.parse(text) as { version: string }).version;
}
