/** Managers and nodes that come and go: newcomers ask to be admitted, demoted managers leave by way of the role reconciler, nodes are replaced. */
import type { Node } from '../../src/proto/generated/docker/swarmkit/v1/objects.ts';
import { NodeSpec_Availability, type NodeSpec } from '../../src/proto/generated/docker/swarmkit/v1/specs.ts';
import { NodeRole } from '../../src/proto/generated/docker/swarmkit/v1/types.ts';
import { aNode } from '../support/local-control.ts';
import { isManagerNode, type SimulatedManager } from './manager.ts';
import type { Swarm } from './swarm.ts';

const USUAL_MANAGERS = 3;
const MOST_MANAGERS = 5;
const ASK_AGAIN_MS = 1_000;

/** The node of a manager: it runs no tasks. */
export function managerNode(nodeId: string): Node {
  const node = aNode(nodeId, NodeRole.MANAGER, 0);
  return { ...node, spec: { ...(node.spec as NodeSpec), availability: NodeSpec_Availability.DRAIN } };
}

export class Members {
  readonly #swarm: Swarm;

  constructor(swarm: Swarm) {
    this.#swarm = swarm;
  }

  /** One manager more, or one less. */
  async change(): Promise<void> {
    const members = this.#swarm.leader()?.members.length ?? 0;
    const { nemesisRandom } = this.#swarm;
    if (members === 0) return;
    if (members <= USUAL_MANAGERS || (members < MOST_MANAGERS && nemesisRandom() < 0.3)) await this.#join();
    else this.#demote();
    this.#removeFormer();
  }

  /** An agent's node is removed, and a new one comes. */
  replaceAgent(): void {
    const { agents, nemesisRandom } = this.#swarm;
    const agent = agents[Math.floor(nemesisRandom() * agents.length)];
    const leader = this.#swarm.leader();
    if (!agent || !leader) return;
    leader.control
      .removeNode({ nodeId: agent.nodeId, force: true })
      .then(() => {
        this.#swarm.retire(agent);
        return this.#swarm.addAgent();
      })
      .catch(() => undefined);
  }

  /** The newcomer starts with nothing and asks whoever leads until it is a member. */
  async #join(): Promise<void> {
    const { timeline, tell } = this.#swarm;
    const manager = this.#swarm.newManager();
    tell(`manager ${manager.id} wants to join`);
    await this.#swarm.startAgain(manager);
    const ask = (): void => {
      const leader = this.#swarm.leader();
      if (this.#swarm.isOver || manager.isRemoved) return;
      if (leader?.members.some(({ raftId }) => raftId === manager.id)) return;
      if (leader) void this.#admit(leader, manager).catch(() => undefined);
      timeline.setTimer(ASK_AGAIN_MS, ask);
    };
    ask();
  }

  async #admit(leader: SimulatedManager, { id, nodeId, address }: SimulatedManager): Promise<void> {
    if (!leader.store.read.node.get(nodeId)) await leader.store.update((tx) => tx.node.create(managerNode(nodeId)));
    await leader.admit({ raftId: id, nodeId, address });
  }

  /** The node of a manager that has been one is removed. */
  #removeFormer(): void {
    const leader = this.#swarm.leader();
    const former = leader?.store.read.node.all().find(({ id, role }) => isManagerNode(id) && role === NodeRole.WORKER);
    if (leader && former) leader.control.removeNode({ nodeId: former.id, force: true }).catch(() => undefined);
  }

  #demote(): void {
    const { nemesisRandom, tell } = this.#swarm;
    const leader = this.#swarm.leader();
    const members = leader?.members ?? [];
    const member = members[Math.floor(nemesisRandom() * members.length)];
    const node = member && leader?.store.read.node.get(member.nodeId);
    if (!leader || !node?.spec) return;
    tell(`people demote ${node.id}`);
    const spec = { ...node.spec, desiredRole: NodeRole.WORKER };
    leader.control.updateNode({ nodeId: node.id, nodeVersion: node.meta?.version, spec }).catch(() => undefined);
  }
}
