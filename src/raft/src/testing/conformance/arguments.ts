/** Reading the arguments of a directive. */
import { MessageType } from '../../types.ts';
import { CommandError } from './command-error.ts';
import type { Argument, Directive } from './data-file.ts';

export function parseNumber(text: string): number {
  if (!/^[0-9]+$/.test(text)) throw new CommandError(`not a number: "${text}"`);
  return Number(text);
}

const TRUE = ['1', 't', 'T', 'true', 'TRUE', 'True'];
const FALSE = ['0', 'f', 'F', 'false', 'FALSE', 'False'];

export function parseBoolean(text: string): boolean {
  if (TRUE.includes(text)) return true;
  if (FALSE.includes(text)) return false;
  throw new CommandError(`not true or false: "${text}"`);
}

export function parseMessageType(text: string): MessageType {
  const found = Object.entries(MessageType).find(([name]) => name === text);
  if (found === undefined) throw new CommandError(`unknown message type ${text}`);
  return found[1];
}

/** The keys of all arguments without values. */
export function bareArguments(directive: Directive): readonly string[] {
  return directive.args.filter((arg) => arg.values.length === 0).map((arg) => arg.key);
}

/** The n-th argument, which must have no value. */
export function bareArgument(directive: Directive, n: number): string {
  const arg = bareArguments(directive)[n];
  if (arg === undefined) throw new CommandError(`${directive.command} needs ${n + 1} arguments`);
  return arg;
}

/** The value of `key=value`, if given. */
export function optionalValue(directive: Directive, key: string): string | undefined {
  return directive.args.find((arg) => arg.key === key)?.values[0];
}

/** The value of `key=value`. */
export function requiredValue(directive: Directive, key: string): string {
  const value = optionalValue(directive, key);
  if (value === undefined) throw new CommandError(`${directive.command} needs ${key}=`);
  return value;
}

/** The one value of an argument. */
export function singleValue(arg: Argument): string {
  const [value] = arg.values;
  if (value === undefined || arg.values.length !== 1) throw new CommandError(`${arg.key} needs one value`);
  return value;
}
