/** What this build calls itself. */
import { existsSync, readFileSync } from 'node:fs';

/** Version of swarmd, from its package.json. */
export const VERSION: string = readVersion();

function readVersion(): string {
  // From the sources and from dist, package.json lies two folders up; from what tests compile, three.
  const places = ['../../package.json', '../../../package.json'].map((path) => new URL(path, import.meta.url));
  const text = readFileSync(places.find((place) => existsSync(place)) ?? (places[0] as URL), 'utf8');
  return (JSON.parse(text) as { version: string }).version;
}
