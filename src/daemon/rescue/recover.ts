/**
 * `swarmd recover`: for the day a majority of managers is lost for good. Looks at the state folders that survived, says which goes
 * furthest and what is lost with the others, and makes that one the only manager of the swarm.
 */
import { errorText, isSwarmError, SwarmError } from '../../common/errors.ts';
import { Keyring } from '../../identity/keyring.ts';
import { goOnAlone, surveyLog, type LogPlace, type LogSurvey } from '../../manager/consensus/offline-log.ts';
import { StateFolder, type NodeRecord } from '../state-folder.ts';
import { judge } from './verdict.ts';

export interface RecoverOptions {
  readonly dataDirs: readonly string[];
  readonly unlockKey: Uint8Array | undefined;
  /** Change the folder; otherwise only look. */
  readonly yes: boolean;
}

interface Survivor extends LogSurvey {
  readonly folder: StateFolder;
  readonly record: NodeRecord;
  readonly place: LogPlace;
}

/**
 * Resolves with the path of the folder that was made the only manager; undefined when it only looked.
 * Throws failedPrecondition when a folder is in use or they are of different clusters, dataLoss when no log can be used.
 */
export async function recover(options: RecoverOptions, say: (line: string) => void): Promise<string | undefined> {
  const folders: StateFolder[] = [];
  try {
    for (const path of options.dataDirs) folders.push(await StateFolder.open(path));
    const survivors: Survivor[] = [];
    for (const folder of folders) {
      const survivor = await survey(folder, options.unlockKey, say);
      if (survivor) survivors.push(survivor);
    }
    const [first, ...others] = survivors;
    if (!first)
      throw new SwarmError('dataLoss', 'none of these folders holds a log that can be used: restore a backup');
    const stranger = others.find(({ record }) => record.clusterId !== first.record.clusterId);
    if (stranger)
      throw new SwarmError(
        'failedPrecondition',
        `${first.folder.path} and ${stranger.folder.path} belong to different clusters: name folders of one`,
      );
    const { best, sentences } = judge([first, ...others]);
    say('');
    say(`${best.folder.path} goes furthest: its last entry is ${best.lastIndex} of term ${best.lastTerm}.`);
    for (const sentence of sentences) say(sentence);
    if (!options.yes) return undefined;
    await goOnAlone(best.place);
    await best.folder.writeRecord({ ...best.record, managers: [] });
    return best.folder.path;
  } finally {
    for (const folder of folders) folder.release();
  }
}

/** undefined, having said why, when the folder is of no use. */
async function survey(
  folder: StateFolder,
  unlockKey: Uint8Array | undefined,
  say: (line: string) => void,
): Promise<Survivor | undefined> {
  const record = await folder.readRecord();
  if (record?.raftId === undefined) {
    say(`${folder.path}: no manager's folder, passed over`);
    return undefined;
  }
  const keyring = await Keyring.load(folder.keys);
  if (!keyring) {
    say(`${folder.path}: keys.json is missing, so its log cannot be read; passed over`);
    return undefined;
  }
  if (keyring.isLocked) {
    if (!unlockKey)
      throw new SwarmError('unauthenticated', `${folder.path} is locked: give its unlock key with --unlock-key-file`);
    await keyring.unlock(unlockKey);
  }
  const { clusterId, raftId } = record;
  const place = { directory: folder.raft, clusterId, raftId, keys: keyring.log };
  try {
    const found = await surveyLog(place);
    say(
      `${folder.path}: node ${record.nodeId}, last entry ${found.lastIndex} of term ${found.lastTerm}, known to be decided up to ${found.commitIndex}`,
    );
    return { ...found, folder, record, place };
  } catch (error) {
    if (!isSwarmError(error, 'dataLoss')) throw error;
    say(`${folder.path}: ${errorText(error)}; passed over`);
    return undefined;
  }
}
