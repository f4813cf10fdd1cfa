/**
 * Environment, hostname and mounts may hold templates that are filled in for each task. One that can never be filled in is
 * refused here, rather than failing every task later: it is tried with a sample, as Docker does.
 */
import { isSwarmError } from '../../../common/errors.ts';
import { expandTemplate, expandVariable, SAMPLE_CONTEXT } from '../../../common/service-template.ts';
import type { ContainerSpec } from '../../../proto/generated/docker/swarmkit/v1/specs.ts';
import { invalid } from './refusal.ts';

/** Throws invalidArgument that says which part cannot be expanded and why. */
export function validateTemplates({ hostname, env, mounts }: ContainerSpec): void {
  attempt('expanding hostname failed', () => expandTemplate(hostname, SAMPLE_CONTEXT));
  for (const line of env) attempt('expanding env failed', () => expandVariable(line, SAMPLE_CONTEXT));
  for (const mount of mounts) {
    for (const part of ['source', 'target'] as const) {
      const text = mount[part];
      attempt(`expanding mounts failed: expanding mount ${part} ${JSON.stringify(text)}`, () =>
        expandTemplate(text, SAMPLE_CONTEXT),
      );
    }
  }
}

function attempt(what: string, expand: () => string): void {
  try {
    expand();
  } catch (error) {
    if (!isSwarmError(error)) throw error;
    throw invalid(`${what}: ${error.message}`);
  }
}
