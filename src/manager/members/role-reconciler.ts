/**
 * Makes the role of each node what its owner wants. Promotion: the role changes at once; the node then fetches a manager's
 * certificate and joins the group by itself. Demotion: the node leaves the group first, then its role changes, so that a
 * worker never votes. Retried until it works, since a demotion may have to wait for other managers to come back.
 */
import { sleep, type Clock } from '../../common/clock.ts';
import { errorText } from '../../common/errors.ts';
import type { Logger } from '../../common/log.ts';
import type { Node } from '../../proto/generated/docker/swarmkit/v1/objects.ts';
import { NodeRole } from '../../proto/generated/docker/swarmkit/v1/types.ts';
import type { Store } from '../store/store.ts';
import type { Group } from './group.ts';

const RETRY_MS = 2_000;

export interface RoleReconcilerOptions {
  readonly store: Store;
  readonly group: Group;
  readonly clock: Clock;
  readonly log: Logger;
}

/** What one node needs next. */
type Step = 'promote' | 'leave-group' | 'demote' | 'none';

/** Pure: what to do about a node. */
function nextStep(node: Pick<Node, 'spec' | 'role'>, isMember: boolean): Step {
  const wanted = node.spec?.desiredRole ?? NodeRole.WORKER;
  if (wanted === NodeRole.MANAGER) return node.role === NodeRole.MANAGER ? 'none' : 'promote';
  if (isMember) return 'leave-group';
  return node.role === NodeRole.MANAGER ? 'demote' : 'none';
}

export class RoleReconciler {
  readonly #options: RoleReconcilerOptions;

  constructor(options: RoleReconcilerOptions) {
    this.#options = options;
  }

  async run(signal: AbortSignal): Promise<void> {
    const { store, clock } = this.#options;
    const [, watch] = store.readAndWatch(() => undefined, { kinds: ['node'], signal });
    try {
      for (;;) {
        watch.take();
        const isDone = await this.#reconcileAll(signal);
        if (signal.aborted) return;
        if (!isDone) await sleep(clock, RETRY_MS, signal).catch(() => undefined);
        else if ((await watch.next()).length === 0) return;
      }
    } finally {
      watch.close();
    }
  }

  /** False when something has to be tried again. */
  async #reconcileAll(signal: AbortSignal): Promise<boolean> {
    const { store, group, log } = this.#options;
    let isDone = true;
    for (const node of store.read.node.all()) {
      if (signal.aborted) return true;
      const member = group.members().find((m) => m.nodeId === node.id);
      try {
        const step = nextStep(node, member !== undefined);
        if (step === 'promote') await this.#setRole(node.id, NodeRole.MANAGER);
        else if (step === 'demote') await this.#setRole(node.id, NodeRole.WORKER);
        else if (step === 'leave-group' && member) {
          // A leader cannot take itself out: another must lead, and its loop goes on with this.
          if (member.raftId === group.localId) await group.transferLeadership();
          else {
            await group.removeMember(member.raftId);
            await this.#setRole(node.id, NodeRole.WORKER);
          }
        }
      } catch (error) {
        if (signal.aborted) return true;
        log.warn({ nodeId: node.id, error: errorText(error) }, 'the role of a node could not be changed yet');
        isDone = false;
      }
    }
    return isDone;
  }

  async #setRole(nodeId: string, role: NodeRole): Promise<void> {
    await this.#options.store.update((tx) => {
      const node = tx.node.get(nodeId);
      if (!node || node.role === role) return;
      tx.node.update({ ...node, role, managerStatus: role === NodeRole.WORKER ? undefined : node.managerStatus });
    });
    this.#options.log.info(
      { nodeId, role: role === NodeRole.MANAGER ? 'manager' : 'worker' },
      'role of a node changed',
    );
  }
}
