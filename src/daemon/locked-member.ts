/**
 * A manager that was started while its keys are sealed: it takes no part in the swarm until it is given the unlock key. Its tasks
 * go on, looked after by an agent that talks to nobody.
 */
import type { Logger } from '../common/log.ts';
import type { Keyring } from '../identity/keyring.ts';
import { NodeIdentity } from '../identity/node-identity.ts';
import { AgentHalf } from './agent-half.ts';
import type { DaemonOptions } from './options.ts';
import type { NodeRecord, StateFolder } from './state-folder.ts';

/** Whether a member can do nothing before it is unlocked. */
export async function isLockedAway(folder: StateFolder, keyring: Keyring | undefined): Promise<boolean> {
  if (!keyring?.isLocked) return false;
  // A crash while a manager became a worker leaves sealed keys that nobody needs.
  const stored = await NodeIdentity.peek(folder.certificates).catch(() => undefined);
  return !(stored && stored.role === 'worker' && !stored.isEncrypted);
}

export class LockedMember {
  readonly record: NodeRecord;
  readonly keyring: Keyring;
  readonly agent: AgentHalf;

  private constructor(record: NodeRecord, keyring: Keyring, agent: AgentHalf) {
    this.record = record;
    this.keyring = keyring;
    this.agent = agent;
  }

  static async start(
    record: NodeRecord,
    keyring: Keyring,
    {
      folder,
      settings,
      log,
      onFatal,
    }: {
      readonly folder: StateFolder;
      readonly settings: DaemonOptions;
      readonly log: Logger;
      readonly onFatal: (error: Error) => void;
    },
  ): Promise<LockedMember> {
    const agent = await AgentHalf.start({
      folder,
      settings,
      nodeId: record.nodeId,
      identity: undefined,
      managers: [],
      log: log.child({ room: 'agent' }),
      onSessionMessage: () => undefined,
      onFatal,
    });
    log.warn('this manager is locked: unlock it with "docker swarm unlock" or "swarmctl swarm unlock"');
    return new LockedMember(record, keyring, agent);
  }
}
