import { describe, expect, it } from 'vitest';
import { durationOfMs } from '../../../../src/common/time.ts';
import { isImageReference } from '../../../../src/manager/control/validation/image-reference.ts';
import { validateServiceSpec } from '../../../../src/manager/control/validation/service-spec.ts';
import { validateTemplates } from '../../../../src/manager/control/validation/templates.ts';
import {
  EndpointSpec_ResolutionMode,
  ServiceSpec,
  type ContainerSpec,
  type DeepPartial,
  type TaskSpec,
} from '../../../../src/proto/generated/docker/swarmkit/v1/specs.ts';
import { PortConfig_Protocol } from '../../../../src/proto/generated/docker/swarmkit/v1/types.ts';

type DeepSpec = DeepPartial<ServiceSpec>;
type SpecBuilder = { fromPartial(spec: DeepSpec): ServiceSpec };

const plain: DeepSpec = {
  annotations: { name: 'web' },
  task: { runtime: { $case: 'container', value: { image: 'busybox' } } },
  mode: { $case: 'replicated', value: { replicas: 1 } },
};
const check = (changes: DeepSpec): void =>
  validateServiceSpec((ServiceSpec as SpecBuilder).fromPartial({ ...plain, ...changes }));
const container = (value: DeepPartial<ContainerSpec>): DeepSpec => ({
  task: { runtime: { $case: 'container', value: { image: 'busybox', ...value } } },
});
const task = (value: DeepPartial<TaskSpec>): DeepSpec => ({
  task: { runtime: { $case: 'container', value: { image: 'busybox' } }, ...value },
});

describe('the texts of refused service specs are those clients know', () => {
  const cases: readonly (readonly [string, DeepSpec])[] = [
    ['name must be provided', { annotations: { name: '' } }],
    ['name must be valid as a DNS name component', { annotations: { name: 'a.b' } }],
    ['name must be valid as a DNS name component', { annotations: { name: '-a' } }],
    ['name must be 63 characters or fewer', { annotations: { name: 'a'.repeat(64) } }],
    ['ContainerSpec: image reference must be provided', container({ image: '' })],
    ['ContainerSpec: "BAD IMG" is not a valid repository/tag', container({ image: 'BAD IMG' })],
    ['TaskSpec: missing runtime', { task: {} }],
    ['ContainerSpec: duplicate mount point: /x', container({ mounts: [{ target: '/x' }, { target: '/x' }] })],
    [
      'ContainerSpec: Interval in HealthConfig cannot be less than 1ms',
      container({ healthcheck: { interval: durationOfMs(0.5) } }),
    ],
    [
      'invalid memory value 1048576: Must be at least 4MiB',
      task({ resources: { limits: { memoryBytes: 1_048_576 } } }),
    ],
    ['invalid cpu value 0.0001: Must be at least 0.001', task({ resources: { limits: { nanoCpus: 100_000 } } })],
    ['invalid cpu value 4.2e-08: Must be at least 0.001', task({ resources: { limits: { nanoCpus: 42 } } })],
    ['invalid cpu value -1: Must be at least 0.001', task({ resources: { reservations: { nanoCpus: -1e9 } } })],
    ['TaskSpec: restart-delay cannot be negative', task({ restart: { delay: durationOfMs(-1) } })],
    ['TaskSpec: update-delay cannot be negative', { update: { delay: durationOfMs(-1000) } }],
    ['Jobs may not have an update config', { mode: { $case: 'globalJob', value: {} }, update: {} }],
    ['Number of replicas must be non-negative', { mode: { $case: 'replicated', value: { replicas: -4 } } }],
    [
      "EndpointSpec: port published with ingress mode can't be used with dnsrr mode",
      { endpoint: { mode: EndpointSpec_ResolutionMode.DNSRR, ports: [{ targetPort: 80 }] } },
    ],
    [
      'EndpointSpec: duplicate published ports provided',
      {
        endpoint: {
          ports: [
            { publishedPort: 80, targetPort: 1 },
            { publishedPort: 80, targetPort: 2 },
          ],
        },
      },
    ],
    [
      'expanding hostname failed: template: expansion:1:2: executing "expansion" at <.Nosuch>: can\'t evaluate field Nosuch in type *template.Context',
      container({ hostname: '{{.Nosuch}}' }),
    ],
    [
      'expanding env failed: expanding env "X={{.Bogus": template: expansion:1: unclosed action',
      container({ env: ['X={{.Bogus'] }),
    ],
    ['malformed secret reference', container({ secrets: [{ secretId: 'i', secretName: '' }] })],
  ];
  for (const [text, changes] of cases) {
    it(text, () => {
      expect(() => check(changes)).toThrow(
        expect.objectContaining({ code: 'invalidArgument', message: text }) as Error,
      );
    });
  }

  it('begins the text for a bad constraint as Docker does, and says how to write it', () => {
    expect(() => check(task({ placement: { constraints: ['badsyntax'] } }))).toThrow(
      /^constraint expected one operator from ==, !=/,
    );
  });

  it('refuses network attachments as services with unimplemented', () => {
    const spec = { task: { runtime: { $case: 'attachment', value: {} } } } as DeepSpec;
    expect(() => check(spec)).toThrow(expect.objectContaining({ code: 'unimplemented' }) as Error);
  });

  it('refuses swarmd labels it cannot understand, naming them', () => {
    expect(() => check({ annotations: { name: 'web', labels: { 'swarmd.strategy': 'tight' } } })).toThrow(
      /swarmd\.strategy="tight"/,
    );
  });

  it('accepts ports of the same number for different protocols, and many without a number', () => {
    const endpoint = {
      ports: [
        { publishedPort: 53, targetPort: 53, protocol: PortConfig_Protocol.TCP },
        { publishedPort: 53, targetPort: 53, protocol: PortConfig_Protocol.UDP },
        { targetPort: 1 },
        { targetPort: 2 },
      ],
    };
    expect(() => check({ endpoint })).not.toThrow();
  });
});

describe('image references', () => {
  it.each([
    'busybox',
    'busybox:local',
    'library/nginx:1.25-alpine',
    'localhost/x',
    'localhost:5000/a/b__c:Tag_1.2',
    'Registry.Example.com/team/app',
    `ghcr.io/a/b@sha256:${'a'.repeat(64)}`,
    `nginx:1@sha256:${'0'.repeat(64)}`,
    'host',
  ])('accepts %s', (image) => expect(isImageReference(image)).toBe(true));

  it.each([
    '',
    'BAD IMG',
    'busybox###',
    'Upper',
    'a//b',
    '-a',
    'a:',
    'a@sha256:123',
    'f'.repeat(64),
    `${'a/'.repeat(200)}a`,
    'x'.repeat(5000),
    'a___b',
  ])('refuses %s', (image) => expect(isImageReference(image)).toBe(false));
});

describe('templates', () => {
  const container = (parts: DeepPartial<ContainerSpec>): ContainerSpec =>
    ServiceSpec.fromPartial({ task: { runtime: { $case: 'container', value: parts } } }).task?.runtime
      ?.value as ContainerSpec;

  it('may name everything that a task will know', () => {
    const env = [
      'A={{.Task.Slot}}',
      'B={{index .Service.Labels "any"}}',
      '{{C}}',
      'D={{.Node.Platform.OS}}-{{.Task.ID}}',
    ];
    const mounts = [{ source: '{{.Service.Name}}', target: '/{{.Task.Slot}}' }];
    expect(() => validateTemplates(container({ env, mounts, hostname: 'h{{.Task.Slot}}' }))).not.toThrow();
  });

  it.each([
    [{ hostname: '{{.Task' }, 'expanding hostname failed: template: expansion:1: unclosed action'],
    [{ env: ['A=\n{{.B}}'] }, 'expanding env failed: expanding env "A=\\n{{.B}}": template: expansion:2:2: executing'],
    [
      { mounts: [{ source: '{{join}}' }] },
      'expanding mounts failed: expanding mount source "{{join}}": template: expansion:1:2: executing',
    ],
  ])('are refused where they can never be filled in: %j', (parts, words) => {
    expect(() => validateTemplates(container(parts))).toThrow(words);
  });
});
