/**
 * Placement constraints: "key==value" or "key!=value" over a node's id, host name, address, role, platform and labels.
 * Values compare whole and ignore case; there is no globbing.
 */
import { SwarmError } from '../../common/errors.ts';
import type { Node } from '../../proto/generated/docker/swarmkit/v1/objects.ts';
import { NodeRole } from '../../proto/generated/docker/swarmkit/v1/types.ts';
import { networkHas, parseIpAddress, parseIpNetwork, sameAddress } from './ip-network.ts';

export type ConstraintOperator = '==' | '!=';

export interface Constraint {
  /** As written; built-in names and prefixes ignore case, label names do not. */
  readonly key: string;
  readonly operator: ConstraintOperator;
  readonly value: string;
}

/** '==' is looked for first, so "a!=b==c" has the key "a!=b". */
const OPERATORS: readonly ConstraintOperator[] = ['==', '!='];
const KEY = /^[a-z_][a-z0-9\-_.]+$/i;
const VALUE = /^[a-z0-9:\-_ \t\n\f\r.*()?+[\]\\^$|/]+$/i;

const NODE_LABELS = 'node.labels.';
const ENGINE_LABELS = 'engine.labels.';

/** Throws invalidArgument naming the part that is wrong. Unknown keys are accepted (and match no node). */
export function parseConstraint(expression: string): Constraint {
  for (const operator of OPERATORS) {
    const at = expression.indexOf(operator);
    if (at < 0) continue;
    const key = expression.slice(0, at).trim();
    const value = expression.slice(at + operator.length).trim();
    if (!KEY.test(key)) {
      throw new SwarmError(
        'invalidArgument',
        `key '${key}' is invalid: in constraint "${expression}" use a key such as node.hostname or node.labels.zone`,
      );
    }
    if (!VALUE.test(value)) {
      throw new SwarmError(
        'invalidArgument',
        `value '${value}' is invalid: in constraint "${expression}" use letters, digits, blanks and : - _ . * ( ) ? + [ ] \\ ^ $ | /`,
      );
    }
    return { key, operator, value };
  }
  throw new SwarmError(
    'invalidArgument',
    `constraint expected one operator from ${OPERATORS.join(', ')}: "${expression}" has none; write for example node.role==worker`,
  );
}

/** Throws invalidArgument at the first expression that does not parse. */
export const parseConstraints = (expressions: readonly string[]): readonly Constraint[] =>
  expressions.map(parseConstraint);

/** The constraints of a placement as the loops enforce them: a list with an expression that does not parse rejects no node. */
export function enforcedConstraints(expressions: readonly string[] | undefined): readonly Constraint[] {
  if (!expressions || expressions.length === 0) return [];
  try {
    return parseConstraints(expressions);
  } catch {
    return [];
  }
}

/** Whether one of the candidate values equals the constraint's (==), or none does (!=). */
export function valueSatisfies(constraint: Constraint, candidates: readonly string[]): boolean {
  const wanted = constraint.value.toLowerCase();
  return candidates.some((candidate) => candidate.toLowerCase() === wanted) === (constraint.operator === '==');
}

/** Whether a node satisfies all constraints. What a node does not tell counts as an empty value. */
export const nodeSatisfies = (constraints: readonly Constraint[], node: Node): boolean =>
  constraints.every((constraint) => satisfiesOne(constraint, node));

function satisfiesOne(constraint: Constraint, node: Node): boolean {
  const key = constraint.key.toLowerCase();
  const has = (value: string | undefined): boolean => valueSatisfies(constraint, [value ?? '']);
  switch (key) {
    case 'node.id':
      return has(node.id);
    case 'node.hostname':
      return has(node.description?.hostname);
    case 'node.ip':
      return addressSatisfies(constraint, node.status?.addr ?? '');
    case 'node.role':
      return has(node.role === NodeRole.MANAGER ? 'manager' : 'worker');
    case 'node.platform.os':
      return has(node.description?.platform?.os);
    case 'node.platform.arch':
      return has(node.description?.platform?.architecture);
  }
  if (key.startsWith(NODE_LABELS) && key.length > NODE_LABELS.length)
    return has(node.spec?.annotations?.labels[constraint.key.slice(NODE_LABELS.length)]);
  if (key.startsWith(ENGINE_LABELS) && key.length > ENGINE_LABELS.length)
    return has(node.description?.engine?.labels[constraint.key.slice(ENGINE_LABELS.length)]);
  return false;
}

/** The value is an address or a network; anything else matches no node, whatever the operator. */
function addressSatisfies(constraint: Constraint, text: string): boolean {
  const wantsEqual = constraint.operator === '==';
  const address = parseIpAddress(text);
  const single = parseIpAddress(constraint.value);
  if (single) return (address !== undefined && sameAddress(single, address)) === wantsEqual;
  const network = parseIpNetwork(constraint.value);
  if (network) return (address !== undefined && networkHas(network, address)) === wantsEqual;
  return false;
}
