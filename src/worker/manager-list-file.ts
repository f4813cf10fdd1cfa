/** Keeps the addresses of the managers on disk, so that a restarted agent finds them although the one it joined by is gone. */
import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import path from 'node:path';

const FILE_NAME = 'managers.json';

/** Addresses kept in `dir`; none when there is no readable list. */
export function readManagerList(dir: string): readonly string[] {
  try {
    const list: unknown = JSON.parse(readFileSync(path.join(dir, FILE_NAME), 'utf8'));
    return Array.isArray(list) ? list.filter((address): address is string => typeof address === 'string') : [];
  } catch {
    return [];
  }
}

export function writeManagerList(dir: string, addresses: readonly string[]): void {
  const file = path.join(dir, FILE_NAME);
  mkdirSync(dir, { recursive: true, mode: 0o711 });
  writeFileSync(`${file}.new`, JSON.stringify(addresses));
  renameSync(`${file}.new`, file);
}
