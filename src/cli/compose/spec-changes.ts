/**
 * In what a service differs from what a stack wants of it. What is empty and what is left out are the same, and so is what
 * is left out and the default that a swarm puts in its place.
 */

type Json = unknown;

const DEFAULTS: Readonly<Record<string, Json>> = {
  'TaskTemplate.Runtime': 'container',
  'TaskTemplate.ContainerSpec.Isolation': 'default',
  'TaskTemplate.RestartPolicy.Condition': 'any',
  'TaskTemplate.RestartPolicy.MaxAttempts': 0,
  'Mode.Replicated.Replicas': 1,
  'Mode.ReplicatedJob.MaxConcurrent': 1,
  'Mode.ReplicatedJob.TotalCompletions': 1,
  'UpdateConfig.FailureAction': 'pause',
  'UpdateConfig.Order': 'stop-first',
  'RollbackConfig.FailureAction': 'pause',
  'RollbackConfig.Order': 'stop-first',
  'EndpointSpec.Mode': 'vip',
};

/** Paths of the differences, such as "TaskTemplate.ContainerSpec.Image"; empty when there is none. */
export function specChanges(present: Json, wanted: Json, path = ''): readonly string[] {
  if (isEmpty(wanted) && (isEmpty(present) || present === DEFAULTS[path])) return [];
  if (isObject(present) && isObject(wanted)) {
    const keys = [...new Set([...Object.keys(present), ...Object.keys(wanted)])];
    return keys.flatMap((key) => specChanges(present[key], wanted[key], path === '' ? key : `${path}.${key}`));
  }
  if (Array.isArray(present) && Array.isArray(wanted) && present.length === wanted.length) {
    return wanted.some((item, i) => specChanges(present[i], item, 'item').length > 0) ? [path] : [];
  }
  if (isObject(present) && wanted === undefined) return specChanges(present, {}, path);
  if (isObject(wanted) && present === undefined) return specChanges({}, wanted, path);
  return present === wanted ? [] : [path];
}

const isObject = (value: Json): value is Readonly<Record<string, Json>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** A number is never empty, except that no forced update is the same as the zeroth. */
function isEmpty(value: Json): boolean {
  if (value === undefined || value === null || value === '' || value === false) return true;
  if (Array.isArray(value)) return value.length === 0;
  return isObject(value) && Object.values(value).every(isEmpty);
}
