/** Nodes that come, go and change their roles, all by the product's own ways: join tokens, promotion, demotion, removal. */
import type { Node } from '../../src/proto/generated/docker/swarmkit/v1/objects.ts';
import { NodeRole } from '../../src/proto/generated/docker/swarmkit/v1/types.ts';
import type { SimulatedAgent } from './agent.ts';
import type { SimulatedManager } from './manager.ts';
import type { Swarm } from './swarm.ts';

const USUAL_MANAGERS = 3;
const MOST_MANAGERS = 5;

export class Members {
  readonly #swarm: Swarm;

  constructor(swarm: Swarm) {
    this.#swarm = swarm;
  }

  /** One manager more, or one less. */
  change(): void {
    const leader = this.#swarm.leader();
    const { nemesisRandom } = this.#swarm;
    const members = leader?.members.length ?? 0;
    if (!leader || members === 0) return;
    if (members <= USUAL_MANAGERS || (members < MOST_MANAGERS && nemesisRandom() < 0.3)) this.#add(leader);
    else this.#demote(leader);
    this.#removeFormer(leader);
  }

  /** The node of a worker is removed, and a new one comes. */
  replaceAgent(): void {
    const { nemesisRandom } = this.#swarm;
    const leader = this.#swarm.leader();
    const workers = this.#swarm.agents.filter(({ nodeId }) => leader?.store.read.node.get(nodeId)?.role === WORKER);
    const agent = workers[Math.floor(nemesisRandom() * workers.length)];
    if (agent && leader) this.#remove(leader, agent, () => this.#swarm.addAgent('worker'));
  }

  /** A new node with the token of managers, or a worker that is promoted. */
  #add(leader: SimulatedManager): void {
    const { nemesisRandom, agents } = this.#swarm;
    const workers = nodesOf(leader).filter(({ id, spec }) => spec?.desiredRole === WORKER && this.#agentOf(id));
    const worker = workers[Math.floor(nemesisRandom() * workers.length)];
    if (worker === undefined || agents.length <= USUAL_MANAGERS + MOST_MANAGERS || nemesisRandom() < 0.5)
      this.#swarm.addAgent('manager');
    else this.#wish(leader, worker, MANAGER);
  }

  #demote(leader: SimulatedManager): void {
    const { members } = leader;
    const member = members[Math.floor(this.#swarm.nemesisRandom() * members.length)];
    const node = member && leader.store.read.node.get(member.nodeId);
    if (node) this.#wish(leader, node, WORKER);
  }

  #wish(leader: SimulatedManager, node: Node, desiredRole: NodeRole): void {
    if (!node.spec) return;
    this.#swarm.tell(`people ${desiredRole === MANAGER ? 'promote' : 'demote'} ${node.id}`);
    leader.control
      .updateNode({ nodeId: node.id, nodeVersion: node.meta?.version, spec: { ...node.spec, desiredRole } })
      .catch(() => undefined);
  }

  /** The node of a manager that has been one is removed. */
  #removeFormer(leader: SimulatedManager): void {
    const former = this.#swarm.agents.find(
      ({ nodeId, wasManager }) => wasManager && leader.store.read.node.get(nodeId)?.role === WORKER,
    );
    if (former) this.#remove(leader, former, () => undefined);
  }

  #remove(leader: SimulatedManager, agent: SimulatedAgent, then: () => void): void {
    leader.control
      .removeNode({ nodeId: agent.nodeId, force: true })
      .then(() => {
        this.#swarm.retire(agent);
        then();
      })
      .catch(() => undefined);
  }

  #agentOf(nodeId: string): SimulatedAgent | undefined {
    return this.#swarm.agents.find((agent) => agent.nodeId === nodeId);
  }
}

const { MANAGER, WORKER } = NodeRole;

const nodesOf = (leader: SimulatedManager): readonly Node[] => leader.store.read.node.all();
