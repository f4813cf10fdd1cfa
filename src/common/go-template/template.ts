/** A Go template, read once and filled in as often as needed. */
import { SwarmError } from '../errors.ts';
import { evaluate, type Dialect } from './evaluator.ts';
import { BUILT_IN } from './functions.ts';
import { parse } from './parser.ts';
import type { Value } from './values.ts';

export interface GoTemplate {
  /** Throws invalidArgument in Go's words, for example for a name that the data does not have. */
  readonly expand: (data: Value) => string;
}

/**
 * Reads a template. Throws invalidArgument in Go's words, with the line: text/template of Go 1.20 is the model.
 *
 * @example parseTemplate('{{.Name}}', { name: 'greeting', functions: {} }).expand({ Name: 'world' })
 */
export function parseTemplate(text: string, dialect: Dialect): GoTemplate {
  if (!text.includes('{{')) return { expand: () => text };
  const functions = { ...BUILT_IN, ...dialect.functions };
  const isFunction = (name: string): boolean => name === 'and' || name === 'or' || Object.hasOwn(functions, name);
  const parsed = refusing(`template: ${dialect.name}:`, () => parse(text, isFunction));
  return { expand: (data) => refusing('template: ', () => evaluate(text, parsed, data, { ...dialect, functions })) };
}

function refusing<T>(prefix: string, work: () => T): T {
  try {
    return work();
  } catch (error) {
    if (!(error instanceof Error)) throw error;
    throw new SwarmError('invalidArgument', `${prefix}${error.message}`, { cause: error });
  }
}
