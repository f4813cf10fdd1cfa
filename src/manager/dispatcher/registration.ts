/** One registration of a node: its session id and the streams opened under it. */
import type { SwarmError } from '../../common/errors.ts';
import { ServerStream } from '../../common/server-stream.ts';
import { replacedSession } from './refusals.ts';

type StreamKind = 'session' | 'assignments';

export class Registration {
  readonly nodeId: string;
  readonly sessionId: string;
  readonly #streams = new Map<StreamKind, ServerStream>();
  #isPatient: boolean;
  #ended: SwarmError | undefined;

  constructor(nodeId: string, sessionId: string, isPatient: boolean) {
    this.nodeId = nodeId;
    this.sessionId = sessionId;
    this.#isPatient = isPatient;
  }

  /** Whether the agent may take its time to come back after its session broke. */
  get isPatient(): boolean {
    return this.#isPatient;
  }

  /** The agent said that it ends this session and comes back. */
  expectReturn(): void {
    this.#isPatient = true;
  }

  get isEnded(): boolean {
    return this.#ended !== undefined;
  }

  /** Opens a stream in place of an older one of its kind. Throws what the registration was ended with. */
  open(kind: StreamKind, signal: AbortSignal): ServerStream {
    if (this.#ended) throw this.#ended;
    this.#streams.get(kind)?.end(replacedSession(this.nodeId));
    const stream = new ServerStream(signal);
    this.#streams.set(kind, stream);
    return stream;
  }

  /** Forgets a stream that is over; false when a newer one has taken its place. */
  close(kind: StreamKind, stream: ServerStream): boolean {
    stream.close();
    if (this.#streams.get(kind) !== stream) return false;
    this.#streams.delete(kind);
    return true;
  }

  /** Has the session stream send its message again. */
  refresh(): void {
    this.#streams.get('session')?.wake();
  }

  /** Ends all streams; the session id is no longer valid. */
  end(error: SwarmError): void {
    this.#ended ??= error;
    for (const stream of this.#streams.values()) stream.end(error);
    this.#streams.clear();
  }
}
