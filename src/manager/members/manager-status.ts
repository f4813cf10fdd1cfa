/** Writes who leads and who is reachable onto the node objects, where `node ls` and every other client look for it. */
import type { Logger } from '../../common/log.ts';
import { errorText } from '../../common/errors.ts';
import type { ManagerStatus as ManagerStatusObject } from '../../proto/generated/docker/swarmkit/v1/types.ts';
import { RaftMemberStatus_Reachability } from '../../proto/generated/docker/swarmkit/v1/types.ts';
import type { Store } from '../store/store.ts';
import type { Group } from './group.ts';

export interface ManagerStatusOptions {
  readonly store: Store;
  readonly group: Group;
  readonly log: Logger;
}

export class ManagerStatusWriter {
  readonly #options: ManagerStatusOptions;

  constructor(options: ManagerStatusOptions) {
    this.#options = options;
  }

  async run(signal: AbortSignal): Promise<void> {
    const { store, group } = this.#options;
    const [, watch] = store.readAndWatch(() => undefined, { kinds: ['node'], signal });
    let wake: () => void = () => undefined;
    const stopListening = group.onChange(() => wake());
    try {
      while (!signal.aborted) {
        const changed = new Promise<void>((resolve) => {
          wake = resolve;
        });
        watch.take();
        await this.#write();
        await Promise.race([changed, watch.next()]);
      }
    } finally {
      stopListening();
      watch.close();
    }
  }

  async #write(): Promise<void> {
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
    }
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
