/**
 * Environment, hostname and mounts may hold Go templates that are filled in for each task. A template that can never be
 * filled in is refused here, in the words of Go's template package, rather than failing every task later.
 */
import type { ContainerSpec } from '../../../proto/generated/docker/swarmkit/v1/specs.ts';
import { invalid } from './refusal.ts';

/** Fields of the template context; `any` stands for a map that takes every key. */
interface Fields {
  readonly [name: string]: Fields | 'leaf' | 'any';
}

const CONTEXT: Fields = {
  Service: { ID: 'leaf', Name: 'leaf', Labels: 'any' },
  Node: { ID: 'leaf', Hostname: 'leaf', Platform: { Architecture: 'leaf', OS: 'leaf' } },
  Task: { ID: 'leaf', Name: 'leaf', Slot: 'leaf' },
};

export function validateTemplates(container: ContainerSpec): void {
  const hostname = templateError(container.hostname);
  if (hostname) throw invalid(`expanding hostname failed: ${hostname}`);
  for (const entry of container.env) {
    const error = templateError(entry);
    if (error) throw invalid(`expanding env failed: expanding env ${JSON.stringify(entry)}: ${error}`);
  }
  for (const { source, target } of container.mounts) {
    for (const [part, text] of [
      ['source', source],
      ['target', target],
    ] as const) {
      const error = templateError(text);
      if (error) throw invalid(`expanding mounts failed: expanding mount ${part} ${JSON.stringify(text)}: ${error}`);
    }
  }
}

/** What Go would say about a template, or undefined when nothing is wrong that can be seen without filling it in. */
export function templateError(text: string): string | undefined {
  for (let open = text.indexOf('{{'); open >= 0;) {
    const close = text.indexOf('}}', open + 2);
    const line = text.slice(0, open).split('\n').length;
    if (close < 0) return `template: expansion:${line}: unclosed action`;
    const action = text.slice(open + 2, close);
    const chain = /^(?:-\s)?\s*(\.\w+(?:\.\w+)*)\s*(?:\s-)?$/.exec(action)?.[1];
    const missing = chain === undefined ? undefined : unknownField(chain.slice(1).split('.'));
    if (missing !== undefined) {
      const start = open + 2 + action.indexOf(chain as string);
      const column = start - (text.lastIndexOf('\n', start) + 1);
      return `template: expansion:${line}:${column}: executing "expansion" at <${chain}>: can't evaluate field ${missing} in type *template.Context`;
    }
    if (action.trim() === '') return `template: expansion:${line}: missing value for command`;
    open = text.indexOf('{{', close + 2);
  }
  return undefined;
}

/** The first name of a chain that the context does not have. */
function unknownField(names: readonly string[]): string | undefined {
  let fields: Fields | 'leaf' | 'any' = CONTEXT;
  for (const name of names) {
    if (fields === 'any') return undefined;
    if (fields === 'leaf' || !Object.hasOwn(fields, name)) return name;
    fields = fields[name] as Fields | 'leaf' | 'any';
  }
  return undefined;
}
