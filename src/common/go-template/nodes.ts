/** What a template is made of, and how Go quotes a part of it in an error. */
import type { Value } from './values.ts';

/** `at` is the index in the text that an error about the part points to. */
export type Operand =
  | { readonly kind: 'dot'; readonly at: number }
  | { readonly kind: 'nil'; readonly at: number }
  | { readonly kind: 'literal'; readonly at: number; readonly value: Value; readonly source: string }
  | { readonly kind: 'field'; readonly at: number; readonly names: readonly string[] }
  | { readonly kind: 'variable'; readonly at: number; readonly name: string; readonly names: readonly string[] }
  | { readonly kind: 'function'; readonly at: number; readonly name: string }
  | { readonly kind: 'pipeline'; readonly at: number; readonly pipeline: Pipeline; readonly names: readonly string[] };

export interface Command {
  readonly at: number;
  /** The first says what is done, the others are its arguments. */
  readonly words: readonly [Operand, ...Operand[]];
}

export interface Pipeline {
  readonly at: number;
  /** Variables that take the value: `$x :=` declares, `$x =` assigns. */
  readonly variables: readonly string[];
  readonly isAssignment: boolean;
  readonly commands: readonly Command[];
}

export interface Branch {
  readonly kind: 'if' | 'with' | 'range';
  readonly pipeline: Pipeline;
  readonly body: readonly Node[];
  readonly otherwise: readonly Node[];
}

export interface Inclusion {
  readonly kind: 'template';
  readonly at: number;
  readonly name: string;
  readonly pipeline: Pipeline | undefined;
}

export type Node =
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'action'; readonly pipeline: Pipeline }
  | { readonly kind: 'break' | 'continue' }
  | Branch
  | Inclusion;

export function sourceOf(operand: Operand): string {
  const fields = (names: readonly string[]): string => names.map((name) => `.${name}`).join('');
  switch (operand.kind) {
    case 'dot':
      return '.';
    case 'nil':
      return 'nil';
    case 'literal':
      return operand.source;
    case 'field':
      return fields(operand.names);
    case 'variable':
      return operand.name + fields(operand.names);
    case 'function':
      return operand.name;
    case 'pipeline':
      return `(${sourceOfPipeline(operand.pipeline)})${fields(operand.names)}`;
  }
}

export const sourceOfCommand = ({ words }: Command): string => words.map(sourceOf).join(' ');

export function sourceOfPipeline({ variables, isAssignment, commands }: Pipeline): string {
  const target = variables.length === 0 ? '' : `${variables.join(', ')} ${isAssignment ? '=' : ':='} `;
  return target + commands.map(sourceOfCommand).join(' | ');
}
