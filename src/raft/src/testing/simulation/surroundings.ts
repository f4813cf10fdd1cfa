/** What a node needs of the world around it. */
import type { ReadState } from '../../read-only.ts';
import type { Message } from '../../types.ts';
import type { SeededRandom } from '../random.ts';
import type { Command } from './application.ts';
import type { EventQueue } from './event-queue.ts';
import type { Ledger } from './ledger.ts';
import type { SimulatedNode } from './node.ts';
import type { Plan } from './plan.ts';

export interface Surroundings {
  readonly queue: EventQueue;
  readonly plan: Plan;
  readonly ledger: Ledger;
  /** Sources for the disk, for what the process does next, and for election timeouts. */
  readonly disk: SeededRandom;
  readonly schedule: SeededRandom;
  readonly timeouts: SeededRandom;
  /** Nothing takes much longer than usual any more. */
  readonly isCalm: () => boolean;
  /** After every step of a node. */
  readonly stepped: (node: SimulatedNode) => void;
  readonly restarted: (node: SimulatedNode) => void;
  readonly send: (node: SimulatedNode, message: Message) => void;
  readonly applied: (node: SimulatedNode, command: Command) => void;
  readonly readable: (node: SimulatedNode, read: ReadState) => void;
  readonly trace: (node: SimulatedNode, text: () => string) => void;
}
