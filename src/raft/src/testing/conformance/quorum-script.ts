/** Runs scripts of the quorum family: arithmetic of majorities and pairs of majorities. */
import type { PeerId } from '../../types.ts';
import { comparePeerIds, hexId } from '../../peer-id.ts';
import { jointIndex, jointVote } from '../../quorum/joint.ts';
import { majorityIndex, majorityVote } from '../../quorum/majority.ts';
import { CommandError } from './command-error.ts';
import type { Directive } from './data-file.ts';
import type { Script } from './script.ts';

interface Voters {
  readonly incoming: readonly PeerId[];
  /** Undefined unless the directive names a second half, be it empty. */
  readonly outgoing: readonly PeerId[] | undefined;
  /** Both halves in order of first appearance. */
  readonly all: readonly PeerId[];
}

/** Each directive stands for itself. */
export function quorumScript(): Script {
  return {
    run(directive) {
      switch (directive.command) {
        case 'committed':
          return runCommitted(directive);
        case 'vote':
          return runVote(directive);
        default:
          throw new CommandError('unknown command');
      }
    },
  };
}

function runCommitted(directive: Directive): string {
  const voters = parseVoters(directive);
  const values = valuesOf(directive, 'idx').map((text) => (text === '_' ? 0 : parseIndex(text)));
  const mismatch = checkCount(voters, values);
  if (mismatch !== undefined) return mismatch;
  const indexes = new Map(voters.all.map((id, i) => [id, values[i] ?? 0]));
  const { incoming, outgoing } = voters;
  const at = (ids: readonly PeerId[]) => ids.map((id) => indexes.get(id) ?? 0);
  let text = describeIndexes(indexes);
  const result = outgoing === undefined ? majorityIndex(at(incoming)) : jointIndex(at(incoming), at(outgoing));
  const check = (other: number, how: string): void => {
    if (other !== result) text += `${formatIndex(other)} <-- ${how}\n`;
  };
  if (outgoing === undefined) {
    check(countingIndex(at(incoming)), 'via alternative computation');
    check(jointIndex(at(incoming), []), 'via zero-joint quorum');
    check(jointIndex(at(incoming), at(incoming)), 'via self-joint quorum');
    // An index below the result plays no part in it, so lowering it must not change the result.
    for (const id of incoming) {
      const index = indexes.get(id) ?? 0;
      if (index === 0 || index >= result) continue;
      for (const lower of [index - 1, 0]) {
        const lowered = incoming.map((each) => (each === id ? lower : (indexes.get(each) ?? 0)));
        check(majorityIndex(lowered), `overlaying ${id}->${lower}`);
      }
    }
  } else {
    check(jointIndex(at(outgoing), at(incoming)), 'via symmetry');
  }
  return `${text}${formatIndex(result)}\n`;
}

function runVote(directive: Directive): string {
  const voters = parseVoters(directive);
  const values = valuesOf(directive, 'votes').map(parseVote);
  const mismatch = checkCount(voters, values);
  if (mismatch !== undefined) return mismatch;
  const votes = new Map<PeerId, boolean>();
  for (const [i, id] of voters.all.entries()) {
    if (values[i] !== 0) votes.set(id, values[i] === 2);
  }
  const { incoming, outgoing } = voters;
  if (outgoing === undefined) return `${majorityVote(incoming, votes)}\n`;
  const result = jointVote(incoming, outgoing, votes);
  const swapped = jointVote(outgoing, incoming, votes);
  return `${swapped === result ? '' : `${swapped} <-- via symmetry\n`}${result}\n`;
}

/** One line per voter with a bar that is longer for larger indexes. */
function describeIndexes(indexes: ReadonlyMap<PeerId, number>): string {
  const count = indexes.size;
  if (count === 0) return '<empty majority quorum>';
  const ranked = [...indexes].sort(([id, index], [otherId, other]) => index - other || comparePeerIds(id, otherId));
  const bars = new Map<PeerId, number>();
  let bar = 0;
  for (const [position, [id, index]] of ranked.entries()) {
    const before = ranked[position - 1];
    if (before !== undefined && index > before[1]) bar = position;
    bars.set(id, bar);
  }
  const rows = [...indexes]
    .sort(([a], [b]) => comparePeerIds(a, b))
    .map(([id, index]) => {
      const length = bars.get(id) ?? 0;
      const drawn = index === 0 ? `?${' '.repeat(count)}` : `${'x'.repeat(length)}>${' '.repeat(count - length)}`;
      return `${drawn} ${String(index).padStart(5)}    (id=${hexId(id)})\n`;
    });
  return `${' '.repeat(count)}    idx\n${rows.join('')}`;
}

/** The same result by trying every index: the largest one that a majority has reached. */
function countingIndex(indexes: readonly number[]): number {
  if (indexes.length === 0) return Infinity;
  const quorum = Math.floor(indexes.length / 2) + 1;
  const reached = indexes.filter((index) => indexes.filter((other) => other >= index).length >= quorum);
  return Math.max(0, ...reached);
}

function parseVoters(directive: Directive): Voters {
  const incoming = [...new Set(valuesOf(directive, 'cfg'))];
  const second = directive.args.some((arg) => arg.key === 'cfgj') ? valuesOf(directive, 'cfgj') : undefined;
  const outgoing = second && [...new Set(second.filter((id) => id !== 'zero'))];
  return { incoming, outgoing, all: [...new Set([...incoming, ...(outgoing ?? [])])] };
}

function checkCount(voters: Voters, values: readonly number[]): string | undefined {
  if (voters.all.length === values.length) return undefined;
  const ids = [...voters.all].sort(comparePeerIds).map((id) => `${id}:{}`);
  return `error: mismatched input (explicit or _) for voters map[${ids.join(' ')}]: [${values.join(' ')}]\n`;
}

function valuesOf(directive: Directive, key: string): readonly string[] {
  return directive.args.filter((arg) => arg.key === key).flatMap((arg) => arg.values);
}

function parseIndex(text: string): number {
  const value = Number(text);
  if (!/^[0-9]+$/.test(text) || value === 0) throw new CommandError(`cannot use ${text} as idx`);
  return value;
}

/** 0 unknown, 1 no, 2 yes. */
function parseVote(text: string): number {
  const value = ['_', 'n', 'y'].indexOf(text);
  if (value < 0) throw new CommandError(`unknown vote: ${text}`);
  return value;
}

function formatIndex(index: number): string {
  return index === Infinity ? '∞' : String(index);
}
