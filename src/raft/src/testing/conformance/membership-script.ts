/** Runs scripts of the confchange family: one membership that starts empty and is changed step by step. */
import type { PeerId } from '../../types.ts';
import { enterJoint, leaveJoint, simpleChange } from '../../membership/changer.ts';
import type { ChangeResult } from '../../membership/changer.ts';
import { describeConfiguration } from '../../membership/draft.ts';
import type { Membership } from '../../membership/draft.ts';
import { comparePeerIds, hexId } from '../../peer-id.ts';
import { EMPTY_CONF_STATE } from '../../storage.ts';
import { ProgressTracker } from '../../tracker/tracker.ts';
import type { Progress } from '../../tracker/progress.ts';
import { optionalValue, parseBoolean } from './arguments.ts';
import { CommandError } from './command-error.ts';
import type { Directive } from './data-file.ts';
import { parseOperations } from './operations.ts';
import type { Script } from './script.ts';

const MAX_INFLIGHT = 10;

export function membershipScript(): Script {
  const tracker = new ProgressTracker(MAX_INFLIGHT, 0);
  let membership: Membership = { config: EMPTY_CONF_STATE, progress: new Map<PeerId, Progress>() };
  // Stands for the last index of the log; every directive adds one.
  let lastIndex = 0;
  return {
    run(directive) {
      const next = Math.max(lastIndex, 1);
      lastIndex++;
      const result = change(directive, membership, (isLearner) => tracker.newProgress(next, isLearner));
      if (!result.ok) throw new CommandError(result.error);
      membership = result.membership;
      return describeMembership(membership);
    },
  };
}

function change(
  directive: Directive,
  membership: Membership,
  newProgress: (isLearner: boolean) => Progress,
): ChangeResult {
  const operations = parseOperations(directive.input);
  switch (directive.command) {
    case 'simple':
      return simpleChange(membership, operations, newProgress);
    case 'enter-joint': {
      const autoLeave = parseBoolean(optionalValue(directive, 'autoleave') ?? 'false');
      return enterJoint(membership, operations, autoLeave, newProgress);
    }
    case 'leave-joint':
      if (operations.length > 0) throw new CommandError('this command takes no input');
      return leaveJoint(membership, newProgress);
    default:
      throw new CommandError('unknown command');
  }
}

function describeMembership({ config, progress }: Membership): string {
  const lines = [...progress]
    .sort(([a], [b]) => comparePeerIds(a, b))
    .map(([id, each]) => `${id}: ${each.toString()}\n`);
  return `${describeConfiguration(config, hexId)}\n${lines.join('')}`;
}
