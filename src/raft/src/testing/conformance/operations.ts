/** The short form of membership operations: `v1` voter, `l2` learner, `r3` remove, `u4` update. */
import { ConfChangeType } from '../../types.ts';
import type { ConfChangeSingle } from '../../types.ts';
import { CommandError } from './command-error.ts';

const TYPES: Readonly<Record<string, ConfChangeType>> = {
  v: ConfChangeType.AddNode,
  l: ConfChangeType.AddLearnerNode,
  r: ConfChangeType.RemoveNode,
  u: ConfChangeType.UpdateNode,
};

const LETTERS: Readonly<Record<ConfChangeType, string>> = {
  [ConfChangeType.AddNode]: 'v',
  [ConfChangeType.AddLearnerNode]: 'l',
  [ConfChangeType.RemoveNode]: 'r',
  [ConfChangeType.UpdateNode]: 'u',
};

/** Operations separated by one blank; empty text means none. */
export function parseOperations(text: string): readonly ConfChangeSingle[] {
  if (text === '') return [];
  return text.split(' ').map((token) => {
    if (token.length < 2) throw new CommandError(`unknown token ${token}`);
    const type = TYPES[token.charAt(0)];
    if (type === undefined) throw new CommandError(`unknown input: ${token}`);
    const id = token.slice(1);
    if (!/^[0-9]+$/.test(id)) throw new CommandError(`strconv.ParseUint: parsing "${id}": invalid syntax`);
    return { type, nodeId: BigInt(id).toString() };
  });
}

export function formatOperations(changes: readonly ConfChangeSingle[]): string {
  return changes.map(({ type, nodeId }) => `${LETTERS[type]}${nodeId}`).join(' ');
}
