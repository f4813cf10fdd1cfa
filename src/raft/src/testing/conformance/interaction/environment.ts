/** The world of an interaction script: its nodes and the messages between them. */
import { MessageType } from '../../../types.ts';
import type { HardState, Message, PeerId } from '../../../types.ts';
import { isStorageThread } from '../../../messages.ts';
import type { StepRefusal } from '../../../refusal.ts';
import { EMPTY_HARD_STATE } from '../../../storage.ts';
import { CommandError } from '../command-error.ts';
import { describeMessage, describeReady } from '../describe.ts';
import type { ScriptNode } from './node.ts';
import { Output } from './output.ts';

export interface Delivery {
  readonly to: PeerId;
  readonly isDropped: boolean;
}

export class Environment {
  readonly output = new Output();
  readonly nodes: ScriptNode[] = [];
  /** In flight, for all recipients together, oldest first. */
  messages: Message[] = [];
  /** Copies put aside to be sent again. */
  stash: Message[] = [];

  node(id: string): ScriptNode {
    const node = this.nodes.find((each) => each.id === id);
    if (node === undefined) throw new CommandError(`unknown node ${id}`);
    return node;
  }

  /** Takes a Ready, writes and applies it (unless that is the storage threads' work), and puts its messages on the network. */
  processReady(node: ScriptNode): void {
    const ready = node.core.ready();
    this.output.print(describeReady(ready));
    if (!node.usesAsyncWrites) {
      node.append(ready.hardState ?? EMPTY_HARD_STATE, ready.entries, ready.snapshot);
      node.apply(ready.committedEntries);
    }
    for (const message of ready.messages) {
      if (message.type === MessageType.MsgStorageAppend) node.appendWork.push(message);
      else if (message.type === MessageType.MsgStorageApply) node.applyWork.push(message);
      else this.messages.push(message);
    }
    if (!node.usesAsyncWrites) node.core.advance();
  }

  processAppendThread(node: ScriptNode): void {
    this.#processWork(node.appendWork, 'append', (message) => {
      const hardState: HardState = { term: message.term, vote: message.vote, commit: message.commit };
      node.append(hardState, message.entries, message.snapshot);
    });
  }

  processApplyThread(node: ScriptNode): void {
    this.#processWork(node.applyWork, 'apply', (message) => node.apply(message.entries));
  }

  #processWork(work: Message[], name: string, perform: (message: Message) => void): void {
    const message = work.shift();
    if (message === undefined) {
      this.output.print(`no ${name} work to perform`);
      return;
    }
    this.output.print(`Processing:\n${describeMessage({ ...message, responses: [] })}\n`);
    perform(message);
    this.output.print('Responses:\n');
    for (const response of message.responses) this.output.print(`${describeMessage(response)}\n`);
    this.messages.push(...message.responses);
  }

  /** Delivers or drops the messages for each recipient in turn; returns how many that were. */
  deliver(deliveries: readonly Delivery[], type: MessageType | undefined): number {
    let count = 0;
    for (const delivery of deliveries) {
      const messages = this.waitingFor(delivery, type);
      this.messages = this.messages.filter((message) => !messages.includes(message));
      count += messages.length;
      for (const message of messages) this.#deliverOne(message, delivery.isDropped);
    }
    return count;
  }

  #deliverOne(message: Message, isDropped: boolean): void {
    this.output.print(`${isDropped ? 'dropped: ' : ''}${describeMessage(message)}\n`);
    if (isDropped) return;
    const refusal = this.node(message.to).core.step(message);
    if (refusal !== undefined) this.output.print(`${refusalText(refusal)}\n`);
  }

  /** What a node sends to itself or to its storage cannot get lost on the network. */
  waitingFor({ to, isDropped }: Delivery, type: MessageType | undefined): readonly Message[] {
    return this.messages.filter(
      (message) =>
        message.to === to &&
        (type === undefined || message.type === type) &&
        (!isDropped || !(message.from === message.to || isStorageThread(message.from) || isStorageThread(message.to))),
    );
  }

  /** Lets the nodes work until none of them has anything left to do. */
  stabilize(nodes: readonly ScriptNode[]): void {
    let isBusy = true;
    while (isBusy) {
      isBusy = false;
      const phase = (header: string, work: () => void): void => {
        this.output.print(`> ${header}\n`);
        this.output.indented(work);
        isBusy = true;
      };
      for (const node of nodes) {
        if (node.core.hasReady()) phase(`${node.id} handling Ready`, () => this.processReady(node));
      }
      for (const node of nodes) {
        const delivery = { to: node.id, isDropped: false };
        if (this.waitingFor(delivery, undefined).length > 0) {
          phase(`${node.id} receiving messages`, () => void this.deliver([delivery], undefined));
        }
      }
      for (const node of nodes) {
        if (node.appendWork.length === 0) continue;
        phase(`${node.id} processing append thread`, () => {
          while (node.appendWork.length > 0) this.processAppendThread(node);
        });
      }
      for (const node of nodes) {
        if (node.applyWork.length === 0) continue;
        phase(`${node.id} processing apply thread`, () => {
          while (node.applyWork.length > 0) this.processApplyThread(node);
        });
      }
    }
  }
}

/** The text the data files know a refusal by. */
export function refusalText(refusal: StepRefusal): string {
  switch (refusal) {
    case 'local-message':
      return 'raft: cannot step raft local message';
    case 'unknown-peer':
      return 'raft: cannot step as peer not found';
    case 'wrong-recipient':
    case 'malformed-message':
      return 'raft: cannot step malformed message';
    default:
      return 'raft proposal dropped';
  }
}
