/** Finds the data files below a folder. */
import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';

/** All `.txt` files at or below a path, sorted, so that runs can be compared. */
export function findDataFiles(path: string): readonly string[] {
  if (!statSync(path).isDirectory()) return [path];
  return readdirSync(path, { withFileTypes: true })
    .flatMap((entry) => {
      const below = join(path, entry.name);
      // Links are followed, as the data may be linked into place.
      const isFolder = entry.isDirectory() || (entry.isSymbolicLink() && statSync(below).isDirectory());
      if (isFolder) return findDataFiles(below);
      return entry.name.endsWith('.txt') ? [below] : [];
    })
    .sort();
}
