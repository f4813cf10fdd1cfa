/**
 * The load: clients that read and write registers, and create objects, at whichever manager. What they asked and were told is kept, so that it
 * can be judged afterwards. A register is a config, its value a label; a write names the version it has read.
 */
import type { Operation } from 'raft-ts/testing';
import type { Random } from '../../src/common/random.ts';
import type { ApiAnswer, TestDaemon } from '../support/cluster.ts';
import { pause } from './arena.ts';

const REGISTERS = 4;
const WRITERS = 3;
const READERS = 3;
const CALL_MS = 1_500;
/** A client that was refused waits this long, as a polite one does. */
const BACK_OFF_MS = 30;
const THINKING_MS = 10;
const NOT_TAKEN = 0;

interface ConfigBody {
  readonly ID: string;
  readonly Version: { readonly Index: number };
  readonly Spec: { readonly Labels?: Readonly<Record<string, string>> };
}

export interface Tally {
  acknowledgedWrites: number;
  acknowledgedCreates: number;
  reads: number;
  /** Answered with an error that says it was not done. */
  refused: number;
  /** No answer, or one that says it may have been done. */
  unknown: number;
}

export class Clients {
  readonly tally: Tally = { acknowledgedWrites: 0, acknowledgedCreates: 0, reads: 0, refused: 0, unknown: 0 };
  readonly history: Operation[] = [];
  readonly created: string[] = [];
  /** What was said of values that were not written. */
  readonly refusals = new Map<number, string>();
  /** What no history can explain, as it was answered. */
  readonly wrong: string[] = [];
  readonly #random: Random;
  readonly #managers: () => readonly TestDaemon[];
  readonly #registers: string[] = [];
  /** Versions on which an acknowledged write was based. */
  readonly #replaced = new Set<string>();
  readonly #running: Promise<void>[] = [];
  #isOn = false;
  #moment = 0;
  #values = 0;

  constructor(managers: () => readonly TestDaemon[], random: Random) {
    this.#managers = managers;
    this.#random = random;
  }

  async prepare(): Promise<void> {
    const [first] = this.#managers() as [TestDaemon];
    for (let i = 0; i < REGISTERS; i++) {
      const body = { Name: `register-${i}`, Data: 'eA==', Labels: { value: '0' } };
      this.#registers.push((await first.ask<{ ID: string }>('POST', '/configs/create', body)).ID);
    }
  }

  resume(): void {
    this.#isOn = true;
    for (let i = 0; i < WRITERS; i++) this.#running.push(this.#repeat(() => this.#write()));
    for (let i = 0; i < READERS; i++)
      this.#running.push(this.#repeat(async () => void (await this.#read(this.#some(REGISTERS)))));
  }

  /** Resolves when every client has its answer or has given up waiting. */
  async halt(): Promise<void> {
    this.#isOn = false;
    await Promise.all(this.#running.splice(0));
  }

  async #repeat(act: () => Promise<void>): Promise<void> {
    while (this.#isOn) {
      await act();
      await pause(this.#random() * THINKING_MS);
    }
  }

  async #read(register: number): Promise<ConfigBody | undefined> {
    const begin = ++this.#moment;
    const answer = await this.#call<ConfigBody>('GET', `/configs/${this.#registers[register]}`);
    if (answer?.status !== 200) {
      if (answer?.status === 404) this.wrong.push(`register ${register} was not found`);
      await pause(BACK_OFF_MS);
      return undefined;
    }
    const value = Number(answer.body.Spec.Labels?.['value']);
    this.history.push({ kind: 'read', register, value, begin, end: ++this.#moment });
    this.tally.reads++;
    return answer.body;
  }

  async #write(): Promise<void> {
    if (this.#random() < 0.25) return this.#create();
    const register = this.#some(REGISTERS);
    const before = await this.#read(register);
    if (before === undefined) return;
    const value = ++this.#values;
    const spec = { ...before.Spec, Labels: { value: String(value) } };
    const begin = ++this.#moment;
    const version = before.Version.Index;
    const answer = await this.#call('POST', `/configs/${before.ID}/update?version=${version}`, spec);
    const operation = { kind: 'write', register, value, begin } as const;
    if (answer?.status === 200) {
      this.history.push({ ...operation, end: ++this.#moment });
      this.tally.acknowledgedWrites++;
      const based = `${register} ${version}`;
      if (this.#replaced.has(based)) this.wrong.push(`two writes of register ${register} replaced version ${version}`);
      this.#replaced.add(based);
    } else if (answer !== undefined && answer.status < 500) {
      // It says that it was not done: should the value ever be read, nobody wrote it.
      this.refusals.set(value, `${answer.status} ${JSON.stringify(answer.body)}`);
      this.tally.refused++;
    } else {
      this.history.push({ ...operation, end: Infinity });
      this.tally.unknown++;
      await pause(BACK_OFF_MS);
    }
  }

  async #create(): Promise<void> {
    const name = `kept-${++this.#values}`;
    const answer = await this.#call('POST', '/configs/create', { Name: name, Data: 'eA==' });
    if (answer?.status === 201) {
      this.created.push(name);
      this.tally.acknowledgedCreates++;
    } else if (answer?.status === 409) {
      this.wrong.push(`${name} was created once, and the answer is that its name is taken`);
    } else {
      if (answer !== undefined && answer.status < 500) this.tally.refused++;
      else this.tally.unknown++;
      await pause(BACK_OFF_MS);
    }
  }

  async #call<T>(method: string, path: string, body?: unknown): Promise<ApiAnswer<T> | undefined> {
    const managers = this.#managers();
    const at = managers[this.#some(managers.length)] as TestDaemon;
    try {
      return await at.call<T>(method, path, body, CALL_MS);
    } catch (error) {
      // Nobody took the call, so nothing was done.
      const { code = '' } = error as NodeJS.ErrnoException;
      return ['ECONNREFUSED', 'ENOENT'].includes(code) ? { status: NOT_TAKEN, body: {} as T } : undefined;
    }
  }

  #some(below: number): number {
    return Math.floor(this.#random() * below);
  }
}
