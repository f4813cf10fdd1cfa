/**
 * What people and tools can ask of a manager, one method per call of the Control service: the use cases behind the
 * Docker API. {@link LocalControl} answers on the leader's store, {@link ForwardingControl} on any manager.
 */
import type { ControlService as ControlDefinition } from '../../proto/generated/docker/swarmkit/v1/control.ts';

export interface CallOptions {
  /** Gives the call up; a change that is already on its way may still be made. */
  readonly signal?: AbortSignal | undefined;
}

type Definition = typeof ControlDefinition;

/** Name of a call, for example `createService`. */
export type ControlMethod = keyof Definition;
type ControlRequest<M extends ControlMethod> = ReturnType<Definition[M]['requestDeserialize']>;
type ControlResponse<M extends ControlMethod> = ReturnType<Definition[M]['responseDeserialize']>;

type ControlMethods = {
  readonly [M in ControlMethod]: (request: ControlRequest<M>, options?: CallOptions) => Promise<ControlResponse<M>>;
};

/** Every method throws SwarmError; texts are those of Docker's manager without the "rpc error: …" prefix. */
export interface ControlService extends ControlMethods {}
