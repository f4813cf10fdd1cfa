/** Optimistic concurrency: a change is made for one version of an object and refused for any other. */
import { SwarmError } from '../../common/errors.ts';
import type { Meta } from '../../proto/generated/docker/swarmkit/v1/objects.ts';
import type { Version } from '../../proto/generated/docker/swarmkit/v1/types.ts';

/** Throws outOfSequence; the first words are Docker's, which clients look for. */
export function refuseStaleVersion(
  noun: string,
  object: { readonly id: string; readonly meta?: Meta | undefined },
  madeFor: Version,
): void {
  const current = object.meta?.version?.index ?? 0;
  if (madeFor.index === current) return;
  throw new SwarmError(
    'outOfSequence',
    `update out of sequence: ${noun} ${object.id} is at version ${current} and the change was made for version ${madeFor.index}; read it again and repeat the change`,
  );
}
