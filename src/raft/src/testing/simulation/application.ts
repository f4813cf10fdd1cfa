/**
 * The state machine of a simulated node: registers that clients write, and for each client the number of its last command, so that a command
 * that was sent twice takes effect once.
 */
import type { Entry } from '../../types.ts';

export const REGISTERS = 4;
export const CLIENTS = 6;
const COMMAND_BYTES = 16;
/** Sits at the end of every command so that entries differ in size. */
const MAX_PADDING = 48;

export interface Command {
  readonly client: number;
  /** Counts up for each client; a retry has the number of the first attempt. */
  readonly number: number;
  readonly register: number;
  /** No two commands write the same value. */
  readonly value: number;
}

export function encodeCommand({ client, number, register, value }: Command): Uint8Array {
  const bytes = new Uint8Array(COMMAND_BYTES + (value % MAX_PADDING));
  const view = new DataView(bytes.buffer);
  view.setUint32(0, client);
  view.setUint32(4, number);
  view.setUint32(8, register);
  view.setUint32(12, value);
  return bytes;
}

/** Undefined for the empty entry of a new leader. */
export function decodeCommand({ data }: Entry): Command | undefined {
  if (data.length < COMMAND_BYTES) return undefined;
  const view = new DataView(data.buffer, data.byteOffset);
  return {
    client: view.getUint32(0),
    number: view.getUint32(4),
    register: view.getUint32(8),
    value: view.getUint32(12),
  };
}

export class Application {
  /** Hash of everything applied, as the ledger counts it. */
  state = 0;
  readonly #registers = new Int32Array(REGISTERS);
  readonly #sessions = new Int32Array(CLIENTS);

  read(register: number): number {
    return this.#registers[register] ?? 0;
  }

  apply({ client, number, register, value }: Command): void {
    if (number <= (this.#sessions[client] ?? 0)) return;
    this.#sessions[client] = number;
    this.#registers[register] = value;
  }

  snapshot(): Uint8Array {
    const words = Int32Array.from([this.state, ...this.#registers, ...this.#sessions]);
    return new Uint8Array(words.buffer);
  }

  restore(data: Uint8Array): void {
    const words = new Int32Array(data.slice().buffer);
    this.state = words[0] ?? 0;
    this.#registers.set(words.subarray(1, 1 + REGISTERS));
    this.#sessions.set(words.subarray(1 + REGISTERS));
  }
}
