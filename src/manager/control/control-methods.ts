/** The Control service as other managers call it. Changes are refused where they would have to be forwarded a second time. */
import { SwarmError } from '../../common/errors.ts';
import type { CallContext, Method, ServiceMethods } from '../../common/rpc.ts';
import { ControlService as ControlDefinition } from '../../proto/generated/docker/swarmkit/v1/control.ts';
import { NO_LEADER_TEXT } from '../../common/no-leader.ts';
import type { ControlMethod, ControlService } from './control.ts';
import { kindOf } from './forwarding-control.ts';

export interface ControlMethodsOptions {
  readonly local: ControlService;
  /** Answers reads, wherever the leader is. */
  readonly reads: ControlService;
  readonly isLeader: () => boolean;
}

type AnyHandler = (request: object, context: CallContext) => Promise<object>;
type AnyCall = (request: object, options: { readonly signal: AbortSignal }) => Promise<object>;

export function controlMethods({
  local,
  reads,
  isLeader,
}: ControlMethodsOptions): ServiceMethods<typeof ControlDefinition> {
  const handlerOf = (method: ControlMethod): AnyHandler => {
    const read = reads[method] as unknown as AnyCall;
    const change = local[method] as unknown as AnyCall;
    if (kindOf(method) === 'read') return (request, { signal }) => read(request, { signal });
    return async (request, { signal }) => {
      if (!isLeader()) throw new SwarmError('notLeader', NO_LEADER_TEXT);
      return change(request, { signal });
    };
  };
  const entries = (Object.keys(ControlDefinition) as ControlMethod[]).map(
    (method) => [method, { access: 'manager', handle: handlerOf(method) } as Method<never>] as const,
  );
  return Object.fromEntries(entries) as unknown as ServiceMethods<typeof ControlDefinition>;
}
