/** Secrets and configs by name, as a service spec refers to them. */
import { SwarmError } from '../../../common/errors.ts';
import type { ApiClient } from '../../client.ts';
import type { NamedObject } from '../../types.ts';

/** File mode of what tasks are given: readable by all. */
const FILE_MODE = 0o444;

/** Throws notFound naming the first that does not exist. */
export async function references(
  client: ApiClient,
  kind: 'secret' | 'config',
  names: readonly string[],
): Promise<readonly object[]> {
  if (names.length === 0) return [];
  const known = await client.get<readonly NamedObject[]>(`/${kind}s`);
  return names.map((name) => {
    const found = known.find((object) => object.Spec.Name === name || object.ID === name);
    if (!found)
      throw new SwarmError('notFound', `${kind} "${name}" not found: create it first with "swarmctl ${kind} create"`);
    const file = {
      Name: kind === 'secret' ? found.Spec.Name : `/${found.Spec.Name}`,
      UID: '0',
      GID: '0',
      Mode: FILE_MODE,
    };
    return kind === 'secret'
      ? { SecretID: found.ID, SecretName: found.Spec.Name, File: file }
      : { ConfigID: found.ID, ConfigName: found.Spec.Name, File: file };
  });
}
