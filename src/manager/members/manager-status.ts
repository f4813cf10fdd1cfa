/** Writes who leads and who is reachable onto the node objects, where `node ls` and every other client look for it. */
import type { CancelTimer, Clock } from '../../common/clock.ts';
import type { Logger } from '../../common/log.ts';
import { errorText } from '../../common/errors.ts';
import type { ManagerStatus as ManagerStatusObject } from '../../proto/generated/docker/swarmkit/v1/types.ts';
import { RaftMemberStatus_Reachability } from '../../proto/generated/docker/swarmkit/v1/types.ts';
import type { Store } from '../store/store.ts';
import type { Group } from './group.ts';

/** After a write that failed, as it may while leadership changes. */
const RETRY_MS = 500;

export interface ManagerStatusOptions {
  readonly store: Store;
  readonly group: Group;
  readonly clock: Clock;
  readonly log: Logger;
}

export class ManagerStatusWriter {
  readonly #options: ManagerStatusOptions;

  constructor(options: ManagerStatusOptions) {
    this.#options = options;
  }

  async run(signal: AbortSignal): Promise<void> {
    const { store, group, clock } = this.#options;
    const [, watch] = store.readAndWatch(() => undefined, { kinds: ['node'], signal });
    let wake: () => void = () => undefined;
    const stopListening = group.onChange(() => wake());
    let nodesChanged: Promise<void> | undefined;
    let cancelRetry: CancelTimer | undefined;
    try {
      while (!signal.aborted) {
        const changed = new Promise<void>((resolve) => {
          wake = resolve;
        });
        cancelRetry?.();
        if (!(await this.#write())) cancelRetry = clock.setTimer(RETRY_MS, () => wake());
        // One at a time: a second one would wait for the change after the one that the first takes.
        nodesChanged ??= watch.next().then(() => {
          nodesChanged = undefined;
        });
        await Promise.race([changed, nodesChanged]);
      }
    } finally {
      cancelRetry?.();
      stopListening();
      watch.close();
    }
  }

  /** False when it has to be tried again. */
  async #write(): Promise<boolean> {
    const { store, log } = this.#options;
    try {
      await store.update((tx) => {
        for (const node of tx.node.all()) {
          const wanted = this.#statusOf(node.id);
          if (isSame(node.managerStatus, wanted)) continue;
          tx.node.update({ ...node, managerStatus: wanted });
        }
      });
    } catch (error) {
      log.debug({ error: errorText(error) }, 'manager status was not written');
      return false;
    }
    return true;
  }

  #statusOf(nodeId: string): ManagerStatusObject | undefined {
    const { group } = this.#options;
    const member = group.members().find((m) => m.nodeId === nodeId);
    if (!member) return undefined;
    const { REACHABLE, UNREACHABLE } = RaftMemberStatus_Reachability;
    return {
      raftId: member.raftId,
      addr: member.address,
      // Only the leader runs this loop.
      leader: member.raftId === group.localId,
      reachability: group.isReachable(member.raftId) ? REACHABLE : UNREACHABLE,
    };
  }
}

const isSame = (a: ManagerStatusObject | undefined, b: ManagerStatusObject | undefined): boolean =>
  a?.raftId === b?.raftId && a?.addr === b?.addr && a?.leader === b?.leader && a?.reachability === b?.reachability;
