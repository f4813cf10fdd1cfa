/** A manager whose address changed while it was away tells the others. */
import type { Clock } from '../../common/clock.ts';
import type { Logger } from '../../common/log.ts';
import type { Consensus } from '../consensus/consensus.ts';
import { requestAdmission } from './admission.ts';

export interface Announcement {
  readonly consensus: Consensus;
  readonly channels: Parameters<typeof requestAdmission>[0];
  readonly nodeId: string;
  /** "host:port" at which others reach this manager now. */
  readonly address: string;
  readonly clock: Clock;
  readonly log: Logger;
}

/** To be called once this manager has caught up; never throws: the others go on calling the old address meanwhile. */
export async function announceAddress({
  consensus,
  channels,
  nodeId,
  address,
  clock,
  log,
}: Announcement): Promise<void> {
  const { members, localId } = consensus;
  const recorded = members.byNode(nodeId);
  if (!recorded || recorded.address === address) return;
  try {
    if (consensus.isLeader) await consensus.admit({ raftId: localId, nodeId, address });
    else {
      const managers = members
        .all()
        .filter((m) => m.raftId !== localId)
        .map((m) => m.address);
      await requestAdmission(channels, managers, address, clock, localId);
    }
    log.info({ address }, 'told the other managers the new address');
  } catch (error) {
    log.warn({ err: error }, 'the other managers could not be told the new address');
  }
}
