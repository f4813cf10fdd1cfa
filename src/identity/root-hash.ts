/** The hash of a root bundle as the cluster object shows it; join tokens carry another. */
import { createHash } from 'node:crypto';

export const rootHash = (rootBundle: string): string =>
  `sha256:${createHash('sha256').update(rootBundle).digest('hex')}`;
