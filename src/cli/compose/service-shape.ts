/** What may be said of a service. */
import type { Field } from './field.ts';
import { mounts } from './mounts.ts';
import { ports } from './ports.ts';
import { cpuCount, duration, share, size } from './quantities.ts';
import {
  count,
  flag,
  keyedList,
  labels,
  list,
  mapOf,
  oneOf,
  pairs,
  struct,
  text,
  textOrTexts,
  texts,
  value,
  wholeNumber,
  type Dictionary,
  type Of,
  type Shape,
} from './shape.ts';
import { UNUSED } from './unused-fields.ts';
import { words } from '../words.ts';

/** A command: a list of words, or a line as for a shell. */
const command = value((field): readonly string[] => {
  if (field.isList) return field.items().map((item) => item.text());
  const found = words(field.text());
  if (!found)
    throw field.wrong(`a quote is not closed in ${JSON.stringify(field.text())}`, 'close it, or write a list');
  return found;
});

const fileReference = struct(
  { source: text, target: text, uid: text, gid: text, mode: value(fileMode) },
  { isOpen: true },
);
export type FileReference = Of<typeof fileReference> & { readonly source: string };

/** A number, or octal digits as a text. */
function fileMode(field: Field): number {
  const mode =
    typeof field.value === 'string' && /^0?[0-7]{3,4}$/.test(field.value)
      ? Number.parseInt(field.value, 8)
      : field.wholeNumber();
  if (mode < 0 || mode > 0o7777) throw field.wrong(`${mode} is not a file mode`, 'write it as 0444');
  return mode;
}

const fileReferences: Shape<readonly FileReference[]> = keyedList(
  (field) => {
    if (!field.isMap) return [{ source: field.text() }];
    const reference = fileReference.read(field);
    if (reference.source === undefined) throw field.wrong('has no source', 'name what to give with source: NAME');
    return [{ ...reference, source: reference.source }];
  },
  ({ source }) => source,
);

const attachment = struct({ aliases: value(texts.read), driver_opts: labels }, { unused: UNUSED.attachment });

/** Names, or a map of name and settings. */
const attachments: Shape<Dictionary<Of<typeof attachment>>> = {
  read: (field) =>
    field.isList
      ? Object.fromEntries(field.items().map((item) => [item.text(), {}]))
      : Object.fromEntries(
          field.entries().map(([name, inner]) => [name, inner.value === null ? {} : attachment.read(inner)]),
        ),
  merge: mapOf(attachment).merge,
};

const CONDITIONS = ['service_started', 'service_healthy', 'service_completed_successfully'] as const;
export type Condition = (typeof CONDITIONS)[number];

const dependency = struct({ condition: oneOf(...CONDITIONS), required: flag, restart: flag });
export type Dependency = Of<typeof dependency>;

const dependencies: Shape<Dictionary<Dependency>> = {
  read: (field) =>
    field.isList ? Object.fromEntries(field.items().map((item) => [item.text(), {}])) : mapOf(dependency).read(field),
  merge: mapOf(dependency).merge,
};

const ulimits = mapOf(
  value((field) => {
    if (!field.isMap) return { soft: field.wholeNumber(), hard: field.wholeNumber() };
    const { soft, hard } = struct({ soft: wholeNumber, hard: wholeNumber }).read(field);
    if (soft === undefined || hard === undefined) throw field.wrong('wants soft and hard', 'give both, or one number');
    return { soft, hard };
  }),
);

const healthcheck = struct({
  test: value((field): readonly string[] => {
    if (!field.isList) return ['CMD-SHELL', field.text()];
    const test = field.items().map((item) => item.text());
    if (test.length > 0 && !['NONE', 'CMD', 'CMD-SHELL'].includes(test[0] ?? '')) {
      throw field.wrong(
        `begins with "${test[0] ?? ''}"`,
        'begin the list with CMD, CMD-SHELL or NONE, or write one text',
      );
    }
    return test;
  }),
  interval: duration,
  timeout: duration,
  start_period: duration,
  start_interval: duration,
  retries: count,
  disable: flag,
});

const updateConfig = struct({
  parallelism: count,
  delay: duration,
  failure_action: oneOf('pause', 'continue', 'rollback'),
  monitor: duration,
  max_failure_ratio: share,
  order: oneOf('stop-first', 'start-first'),
});
export type ComposeUpdateConfig = Of<typeof updateConfig>;

const genericResources = list((field) => {
  const { discrete_resource_spec: spec } = struct({
    discrete_resource_spec: struct({ kind: text, value: wholeNumber }),
  }).read(field);
  if (spec?.kind === undefined || spec.value === undefined) {
    throw field.wrong('wants discrete_resource_spec with kind and value', 'for example kind: gpu, value: 2');
  }
  return { kind: spec.kind, value: spec.value };
});

const deploy = struct({
  mode: oneOf('replicated', 'global', 'replicated-job', 'global-job'),
  replicas: count,
  labels,
  endpoint_mode: oneOf('vip', 'dnsrr'),
  update_config: updateConfig,
  rollback_config: updateConfig,
  resources: struct({
    limits: struct({ cpus: cpuCount, memory: size, pids: wholeNumber }, { unused: UNUSED.limits }),
    reservations: struct(
      { cpus: cpuCount, memory: size, generic_resources: genericResources },
      { unused: UNUSED.reservations },
    ),
  }),
  restart_policy: struct({
    condition: oneOf('none', 'on-failure', 'any'),
    delay: duration,
    max_attempts: count,
    window: duration,
  }),
  placement: struct({
    constraints: texts,
    preferences: list((field) => {
      const { spread } = struct({ spread: text }).read(field);
      if (spread === undefined) throw field.wrong('wants spread', 'for example spread: node.labels.zone');
      return spread;
    }),
    max_replicas_per_node: count,
  }),
});

const loggingFields = struct({ driver: text, options: labels });

/** Options are those of a driver. */
const logging: typeof loggingFields = {
  read: loggingFields.read,
  merge: (earlier, later) =>
    earlier.driver !== undefined && later.driver !== undefined && earlier.driver !== later.driver
      ? later
      : loggingFields.merge(earlier, later),
};

export const service = struct(
  {
    image: text,
    command,
    entrypoint: command,
    environment: pairs,
    env_file: value((field): readonly { readonly path: string; readonly isRequired: boolean }[] =>
      (field.isList ? field.items() : [field]).map((item) => {
        if (!item.isMap) return { path: item.text(), isRequired: true };
        const { path, required } = struct({ path: text, required: flag, format: text }).read(item);
        if (path === undefined) throw item.wrong('has no path', 'name the file with path: FILE');
        return { path, isRequired: required ?? true };
      }),
    ),
    labels,
    deploy,
    ports,
    networks: attachments,
    volumes: mounts,
    tmpfs: textOrTexts,
    secrets: fileReferences,
    configs: fileReferences,
    depends_on: dependencies,
    healthcheck,
    logging,
    restart: value((field) => {
      const policy = field.value === false ? 'no' : field.text();
      if (!/^(|no|always|unless-stopped|on-failure(:\d+)?)$/.test(policy)) {
        throw field.wrong(`"${policy}" is not known`, 'use no, always, unless-stopped or on-failure[:times]');
      }
      return policy;
    }),
    hostname: text,
    user: text,
    working_dir: text,
    dns: textOrTexts,
    dns_search: textOrTexts,
    extra_hosts: pairsOfHosts(),
    init: flag,
    isolation: text,
    read_only: flag,
    stdin_open: flag,
    tty: flag,
    stop_signal: text,
    stop_grace_period: duration,
    sysctls: labels,
    ulimits,
    cap_add: texts,
    cap_drop: texts,
    oom_score_adj: wholeNumber,
    credential_spec: struct({ file: text, registry: text }),
  },
  { unused: UNUSED.service },
);

export type ComposeService = Of<typeof service>;

/** "host:address" or "host=address" lines in the order written, or a map in the order of its names; as pairs. */
function pairsOfHosts(): Shape<readonly (readonly [string, string])[]> {
  return {
    read: (field) => {
      if (field.isMap) {
        const pairs = field.entries().map(([host, address]) => [host, address.text()] as const);
        return pairs.toSorted(([a], [b]) => (a < b ? -1 : 1));
      }
      return field.items().map((item) => {
        const line = item.text();
        const at = line.search(/[:=]/);
        if (at < 1) throw item.wrong(`"${line}" is not a host`, 'write name:address');
        return [line.slice(0, at), line.slice(at + 1)] as const;
      });
    },
    merge: (earlier, later) => [...earlier, ...later],
  };
}
