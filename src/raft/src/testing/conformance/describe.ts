/** The text forms of messages, entries and Ready bundles that the data files expect. */
import { APPEND_THREAD, APPLY_THREAD, EntryType, NO_PEER } from '../../types.ts';
import type { ConfState, Entry, HardState, Message, PeerId, Snapshot } from '../../types.ts';
import { decodeConfChange } from '../../codec/conf-change-codec.ts';
import { asConfChangeV2 } from '../../membership/conf-change.ts';
import { messageTypeName } from '../../messages.ts';
import { hexId } from '../../peer-id.ts';
import type { ReadState } from '../../read-only.ts';
import type { Ready, Role } from '../../ready.ts';
import { isEmptySnapshot } from '../../storage.ts';
import { formatOperations } from './operations.ts';
import { quoteBytes } from './quote.ts';

export const ROLE_NAMES: Readonly<Record<Role, string>> = {
  follower: 'StateFollower',
  'pre-candidate': 'StatePreCandidate',
  candidate: 'StateCandidate',
  leader: 'StateLeader',
};

const ENTRY_TYPE_NAMES: Readonly<Record<EntryType, string>> = {
  [EntryType.Normal]: 'EntryNormal',
  [EntryType.ConfChange]: 'EntryConfChange',
  [EntryType.ConfChangeV2]: 'EntryConfChangeV2',
};

/** Every part of a Ready that is there, one or more lines each. */
export function describeReady(ready: Ready): string {
  const { softState, hardState, readStates, entries, snapshot, committedEntries, messages, mustSync } = ready;
  const parts: string[] = [];
  if (softState !== undefined) parts.push(`Lead:${softState.leader} State:${ROLE_NAMES[softState.role]}\n`);
  if (hardState !== undefined) parts.push(`HardState ${describeHardState(hardState)}\n`);
  if (readStates.length > 0) parts.push(`ReadStates [${readStates.map(describeReadState).join(' ')}]\n`);
  if (entries.length > 0) parts.push(`Entries:\n${describeEntries(entries)}`);
  if (snapshot !== undefined) parts.push(`Snapshot ${describeSnapshot(snapshot)}\n`);
  if (committedEntries.length > 0) parts.push(`CommittedEntries:\n${describeEntries(committedEntries)}`);
  if (messages.length > 0)
    parts.push(`Messages:\n${messages.map((message) => `${describeMessage(message)}\n`).join('')}`);
  return parts.length === 0 ? '<empty Ready>' : `Ready MustSync=${mustSync}:\n${parts.join('')}`;
}

export function describeEntries(entries: readonly Entry[]): string {
  return entries.map((entry) => `${describeEntry(entry)}\n`).join('');
}

export function describeMessage(message: Message, indent = ''): string {
  const { from, to, type, term, logTerm, index, entries, snapshot, responses } = message;
  let text = `${indent}${endPoint(from)}->${endPoint(to)} ${messageTypeName(type)} Term:${term} Log:${logTerm}/${index}`;
  if (message.reject) text += ` Rejected (Hint: ${message.rejectHint})`;
  if (message.commit !== 0) text += ` Commit:${message.commit}`;
  if (message.vote !== NO_PEER) text += ` Vote:${message.vote}`;
  const [only] = entries;
  if (only !== undefined && entries.length === 1) {
    text += ` Entries:[${describeEntry(only)}]`;
  } else if (entries.length > 1) {
    text += ` Entries:[${entries.map((entry) => `\n${indent}  ${describeEntry(entry)}`).join('')}\n${indent}]`;
  }
  if (snapshot !== undefined && !isEmptySnapshot(snapshot))
    text += `\n${indent}  Snapshot: ${describeSnapshot(snapshot)}`;
  if (responses.length > 0) {
    text += ` Responses:[${responses.map((each) => `\n${describeMessage(each, `${indent}  `)}`).join('')}\n${indent}]`;
  }
  return text;
}

function describeEntry(entry: Entry): string {
  const head = `${entry.term}/${entry.index} ${ENTRY_TYPE_NAMES[entry.type]}`;
  if (entry.type === EntryType.Normal) return `${head} ${quoteBytes(entry.data)}`;
  const decoded = decodeConfChange(entry.type, entry.data);
  if (!decoded.ok) return `${head} ${decoded.error}`;
  const operations = formatOperations(asConfChangeV2(decoded.value).changes);
  return operations === '' ? head : `${head} ${operations}`;
}

function describeSnapshot(snapshot: Snapshot): string {
  const { index, term, confState } = snapshot.metadata;
  return `Index:${index} Term:${term} ConfState:${describeConfState(confState)}`;
}

function describeConfState(config: ConfState): string {
  const list = (ids: readonly PeerId[]) => `[${ids.join(' ')}]`;
  return (
    `Voters:${list(config.voters)} VotersOutgoing:${list(config.votersOutgoing)} Learners:${list(config.learners)} ` +
    `LearnersNext:${list(config.learnersNext)} AutoLeave:${config.autoLeave}`
  );
}

function describeHardState({ term, vote, commit }: HardState): string {
  return `Term:${term}${vote === NO_PEER ? '' : ` Vote:${vote}`} Commit:${commit}`;
}

function describeReadState({ index, context }: ReadState): string {
  return `{${index} [${context.join(' ')}]}`;
}

function endPoint(id: PeerId): string {
  if (id === NO_PEER) return 'None';
  if (id === APPEND_THREAD) return 'AppendThread';
  if (id === APPLY_THREAD) return 'ApplyThread';
  return hexId(id);
}
