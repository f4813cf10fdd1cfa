/** Several nodes and a network that delivers at once, except where a test cuts it. */
import type { StepRefusal } from '../../src/refusal.ts';
import type { Message, PeerId } from '../../src/types.ts';
import { aNode } from './node.ts';
import type { NodeSettings, TestNode } from './node.ts';

export class TestGroup {
  readonly #nodes = new Map<PeerId, TestNode>();
  /** Messages for which this holds are lost. */
  #isLost: (message: Message) => boolean = () => false;
  /** Everything that was sent, lost or not. */
  readonly sent: Message[] = [];

  constructor(nodes: readonly TestNode[]) {
    for (const node of nodes) this.#nodes.set(node.id, node);
  }

  get nodes(): readonly TestNode[] {
    return [...this.#nodes.values()];
  }

  node(id: PeerId): TestNode {
    const node = this.#nodes.get(id);
    if (node === undefined) throw new Error(`no node ${id}`);
    return node;
  }

  lose(isLost: (message: Message) => boolean): void {
    this.#isLost = isLost;
  }

  /** Cuts nodes off from the others. */
  isolate(...ids: readonly PeerId[]): void {
    this.lose(({ from, to }) => ids.includes(from) !== ids.includes(to));
  }

  heal(): void {
    this.lose(() => false);
  }

  /** Delivers messages until there are none; refusals of the receivers are handed back. */
  settle(): readonly StepRefusal[] {
    const refusals: StepRefusal[] = [];
    let queue = this.nodes.flatMap((node) => node.send());
    for (let rounds = 0; queue.length > 0; rounds++) {
      if (rounds > 10_000) throw new Error('the group does not come to rest');
      this.sent.push(...queue);
      const touched = new Set<TestNode>();
      for (const message of queue) {
        const node = this.#nodes.get(message.to);
        if (node === undefined || this.#isLost(message)) continue;
        const refusal = node.step(message);
        if (refusal !== undefined) refusals.push(refusal);
        touched.add(node);
      }
      queue = [...touched].flatMap((node) => node.send());
    }
    return refusals;
  }

  campaign(id: PeerId): void {
    this.node(id).campaign();
    this.settle();
  }

  /** Ticks one node and delivers what follows. */
  tick(id: PeerId, count = 1): void {
    this.node(id).ticks(count);
    this.settle();
  }

  roles(): readonly string[] {
    return this.nodes.map((node) => node.role);
  }
}

/** Nodes 1 to n, all voters. */
export function aGroup(size: number, settings: NodeSettings | ((id: PeerId) => NodeSettings) = {}): TestGroup {
  const voters = Array.from({ length: size }, (_, i) => String(i + 1));
  return new TestGroup(
    voters.map((id) => aNode({ voters, ...(typeof settings === 'function' ? settings(id) : settings), id })),
  );
}
