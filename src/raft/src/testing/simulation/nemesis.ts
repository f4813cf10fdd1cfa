/**
 * What goes wrong, and when. Every act has its own random source, drawn whether or not it is carried out, so that leaving acts out keeps the
 * others as they are: that is how a failure is shrunk.
 */
import type { SeededRandom } from '../random.ts';
import { changeAtRandom, expendableVoter, repair, replaceOne } from './administrator.ts';
import type { Administered } from './administrator.ts';
import { damageDisk } from './damage.ts';
import type { EventQueue, Micros } from './event-queue.ts';
import type { SimulatedNetwork } from './network.ts';
import type { SimulatedNode } from './node.ts';
import { cutLinks, PARTITIONS } from './partitions.ts';
import { ELECTION, TICK } from './plan.ts';
import type { Fault } from './plan.ts';

export interface Theatre extends Administered {
  readonly queue: EventQueue;
  readonly network: SimulatedNetwork;
  readonly trace: (text: () => string) => void;
}

interface Act {
  readonly fault: Fault;
  readonly weight: number;
  readonly name: string;
  readonly run: (nemesis: Nemesis, random: SeededRandom) => void;
}

const ACTS: readonly Act[] = [
  { fault: 'crash', weight: 3, name: 'crash a node', run: (n, r) => n.crash(n.anyone(r), n.downtime(r)) },
  { fault: 'crash', weight: 2, name: 'crash the leader', run: (n, r) => n.crash(n.leader(r), n.downtime(r)) },
  {
    fault: 'crash',
    weight: 1,
    name: 'crash most nodes at once',
    run: (n, r) => {
      for (const node of n.theatre.nodes) if (r.chance(0.7)) n.crash(node, n.downtime(r));
    },
  },
  {
    fault: 'crash-after-write',
    weight: 4,
    name: 'crash a node right after its next write',
    run: (n, r) => {
      const node = n.anyone(r);
      node.crashAfterWrite = r.chance(0.5) ? 'before-answer' : 'after-answer';
    },
  },
  {
    fault: 'crash-after-write',
    weight: 2,
    name: 'crash the voters of the next election right after they have voted',
    run: (n, r) => {
      n.crash(n.leader(r), n.downtime(r));
      for (const node of n.theatre.nodes) if (r.chance(0.6)) node.crashAfterWrite = 'after-answer';
    },
  },
  { fault: 'partition', weight: 4, name: 'partition', run: (n, r) => n.partition(r) },
  {
    fault: 'partition',
    weight: 2,
    name: 'cut one node after the other and heal in another order',
    run: (n, r) => n.swizzle(r),
  },
  { fault: 'pause', weight: 2, name: 'pause a node', run: (n, r) => n.pause(n.anyone(r), r) },
  { fault: 'pause', weight: 2, name: 'pause the leader', run: (n, r) => n.pause(n.leader(r), r) },
  { fault: 'full-disk', weight: 1, name: 'fill a disk', run: (n, r) => n.fillDisk(n.anyone(r), r) },
  {
    fault: 'failing-sync',
    weight: 1,
    name: 'let a sync fail',
    run: (n, r) => {
      const node = n.anyone(r);
      if (node.isRunning) node.isSyncFailing = true;
    },
  },
  { fault: 'damage', weight: 3, name: 'damage a disk', run: (n, r) => n.damage(r) },
  { fault: 'membership', weight: 5, name: 'change the membership', run: (n, r) => changeAtRandom(n.theatre, r) },
  { fault: 'membership', weight: 2, name: 'replace a member', run: (n, r) => replaceOne(n.theatre, r) },
  {
    fault: 'membership',
    weight: 2,
    name: 'crash the leader while the membership changes',
    run: (n, r) => {
      const leader = n.leader(r);
      changeAtRandom(n.theatre, r);
      n.after(TICK * r.next(), () => n.crash(leader, n.downtime(r)));
    },
  },
  { fault: 'transfer', weight: 2, name: 'hand over leadership', run: (n, r) => n.transfer(r) },
  {
    fault: 'transfer',
    weight: 1,
    name: 'hand over leadership and partition',
    run: (n, r) => {
      n.transfer(r);
      if (n.theatre.plan.faults.has('partition')) n.partition(r);
    },
  },
  { fault: 'compaction', weight: 3, name: 'compact a log', run: (n, r) => n.anyone(r).compact(r.below(4)) },
  {
    fault: 'compaction',
    weight: 2,
    name: 'compact all logs while a node is down',
    run: (n, r) => {
      if (n.theatre.plan.faults.has('crash')) n.crash(n.anyone(r), ELECTION * (0.5 + 2 * r.next()));
      n.after(ELECTION * 0.5, () => {
        for (const node of n.theatre.nodes) node.compact(0);
      });
    },
  },
  { fault: 'lag', weight: 2, name: 'slow a link down', run: (n, r) => n.lag(r) },
];

export class Nemesis {
  readonly theatre: Theatre;
  readonly #random: SeededRandom;
  readonly #left: ReadonlySet<number>;
  #acts = 0;
  #isOver = false;

  /** @param left Numbers of acts to leave out. */
  constructor(theatre: Theatre, random: SeededRandom, left: ReadonlySet<number>) {
    this.theatre = theatre;
    this.#random = random;
    this.#left = left;
  }

  /** Acts so far, those left out included. */
  get acts(): number {
    return this.#acts;
  }

  start(): void {
    this.#plan();
  }

  /** Nothing more goes wrong; crashed nodes still come back as planned. */
  end(): void {
    this.#isOver = true;
  }

  crash(node: SimulatedNode, downtime: Micros): void {
    if (!node.isRunning) return;
    node.crash();
    this.comeBack(node, downtime);
  }

  comeBack(node: SimulatedNode, downtime: Micros): void {
    this.theatre.queue.after(downtime, () => {
      if (node.status === 'down' && !node.isGone) node.start();
    });
  }

  /** Often within the leases the node took part in. */
  downtime(random: SeededRandom): Micros {
    const much = random.next();
    return random.chance(0.5) ? TICK * much : ELECTION * 4 * much;
  }

  anyone(random: SeededRandom): SimulatedNode {
    return random.pick(this.theatre.nodes);
  }

  leader(random: SeededRandom): SimulatedNode {
    const someone = this.anyone(random);
    return this.theatre.leader() ?? someone;
  }

  after(delay: Micros, act: () => void): void {
    this.theatre.queue.after(delay, () => {
      if (!this.#isOver) act();
    });
  }

  partition(random: SeededRandom): void {
    const { nodes, network, trace } = this.theatre;
    const kind = random.pick(PARTITIONS);
    const ids = nodes.map(({ id }) => id);
    const links = cutLinks(kind, ids, this.leader(random).id, random);
    trace(() => `partition ${kind}: ${links.map((link) => link.join('>')).join(' ')}`);
    for (const [from, to] of links) network.setCut(from, to, true);
    this.after(ELECTION * 5 * random.next(), () => {
      trace(() => `heal ${kind}`);
      for (const [from, to] of links) network.setCut(from, to, false);
    });
  }

  swizzle(random: SeededRandom): void {
    const { nodes, network } = this.theatre;
    for (const { id } of nodes) {
      const begin = ELECTION * 2 * random.next();
      const end = ELECTION * (2 + 2 * random.next());
      const setCut = (isCut: boolean): void => {
        for (const other of nodes) {
          network.setCut(id, other.id, isCut);
          network.setCut(other.id, id, isCut);
        }
      };
      this.after(begin, () => setCut(true));
      this.after(end, () => setCut(false));
    }
  }

  pause(node: SimulatedNode, random: SeededRandom): void {
    const duration = ELECTION * 3 * random.next();
    const missed = random.chance(0.5) ? random.below(3 * (duration / TICK)) : 0;
    if (node.isRunning && !node.isPaused) node.pause(duration, missed);
  }

  fillDisk(node: SimulatedNode, random: SeededRandom): void {
    node.isDiskFull = true;
    this.theatre.queue.after(ELECTION * 4 * random.next(), () => {
      node.isDiskFull = false;
      if (node.isRunning) node.settle();
    });
    // As the node loop does it: who cannot write does not lead.
    const other = this.anyone(random);
    if (node.core?.role === 'leader') node.act((core) => core.transferLeader(other.id));
  }

  /** While it is down: what is damaged at rest is found at the next start. */
  damage(random: SeededRandom): void {
    const { trace } = this.theatre;
    const node = expendableVoter(this.theatre, random);
    const downtime = this.downtime(random);
    if (node === undefined) return;
    const place = damageDisk(node, random);
    if (place === undefined) return;
    trace(() => `node ${node.id}: damage: ${place}`);
    node.isDamaged = true;
    if (node.isRunning) this.crash(node, downtime);
  }

  transfer(random: SeededRandom): void {
    const { leader } = this.theatre;
    const to = this.anyone(random).id;
    leader()?.act((core) => core.transferLeader(to));
  }

  lag(random: SeededRandom): void {
    const { network } = this.theatre;
    const from = this.anyone(random).id;
    const to = this.anyone(random).id;
    network.setLag(from, to, ELECTION * random.next());
    this.after(ELECTION * 4 * random.next(), () => network.setLag(from, to, 0));
  }

  #plan(): void {
    const { plan, queue } = this.theatre;
    queue.after(-Math.log(1 - this.#random.next()) * plan.calm, () => {
      if (this.#isOver) return;
      this.#act();
      this.#plan();
    });
  }

  #act(): void {
    const { plan, trace } = this.theatre;
    // The choice is among all acts there are, so that taking a fault away turns its acts into nothing and moves no other.
    const total = ACTS.reduce((sum, act) => sum + act.weight, 0);
    let left = this.#random.next() * total;
    const random = this.#random.fork();
    const number = ++this.#acts;
    if (plan.faults.has('damage')) repair(this.theatre);
    const act = ACTS.find(({ weight }) => (left -= weight) < 0);
    if (act === undefined || !plan.faults.has(act.fault) || this.#left.has(number)) return;
    trace(() => `act ${number}: ${act.name}`);
    act.run(this, random);
  }
}
