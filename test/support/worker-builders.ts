/** Tasks as a manager assigns them, for tests of the worker. */
import { durationOfMs } from '../../src/common/time.ts';
import {
  Network,
  Task,
  type NetworkAttachment,
  type Secret,
  Secret as SecretMessage,
} from '../../src/proto/generated/docker/swarmkit/v1/objects.ts';
import type { ContainerSpec } from '../../src/proto/generated/docker/swarmkit/v1/specs.ts';
import {
  IPAMConfig,
  TaskState,
  type HealthConfig,
  type RestartPolicy,
} from '../../src/proto/generated/docker/swarmkit/v1/types.ts';

export interface TaskGiven {
  readonly desired?: keyof typeof TaskState;
  readonly state?: keyof typeof TaskState;
  readonly service?: string;
  readonly slot?: number;
  readonly version?: number;
  readonly image?: string;
  /** Run by /bin/sh. */
  readonly script?: string;
  readonly command?: readonly string[];
  readonly env?: readonly string[];
  readonly container?: Partial<ContainerSpec>;
  readonly restart?: Partial<RestartPolicy>;
  readonly health?: Partial<HealthConfig>;
  readonly labels?: Readonly<Record<string, string>>;
  readonly stopGraceMs?: number;
  readonly limits?: { readonly nanoCpus?: number; readonly memoryBytes?: number };
}

/** A task of node "node1", wanted RUNNING unless said otherwise. */
export function assignedTask(id: string, given: TaskGiven = {}): Task {
  const service = given.service ?? 'web';
  const args = given.command ?? (given.script === undefined ? ['/bin/sleep', '1000'] : ['/bin/sh', '-c', given.script]);
  return Task.fromPartial({
    id,
    meta: { version: { index: given.version ?? 1 } },
    serviceId: `${service}-id`,
    serviceAnnotations: { name: service, labels: { ...given.labels } },
    slot: given.slot ?? 1,
    nodeId: 'node1',
    status: { state: TaskState[given.state ?? 'ASSIGNED'], timestamp: { seconds: 1, nanos: 0 } },
    desiredState: TaskState[given.desired ?? 'RUNNING'],
    spec: {
      runtime: {
        $case: 'container',
        value: {
          image: given.image ?? 'host',
          args: [...args],
          env: [...(given.env ?? [])],
          stopGracePeriod: durationOfMs(given.stopGraceMs ?? 2000),
          ...(given.health && { healthcheck: given.health }),
          ...given.container,
        },
      },
      ...(given.restart && { restart: given.restart }),
      ...(given.limits && { resources: { limits: given.limits } }),
    },
  });
}

export const aSecret = (id: string, name: string, data: string): Secret =>
  SecretMessage.fromPartial({ id, spec: { annotations: { name }, data: Buffer.from(data) } });

/** A place in an overlay network of this name, in which the gateway has the first address. */
export const onOverlay = (name: string, address: string, aliases: readonly string[] = []): NetworkAttachment => ({
  network: {
    ...Network.fromPartial({ id: `${name}-id`, spec: { annotations: { name } }, driverState: { name: 'overlay' } }),
    ipam: {
      driver: undefined,
      configs: [IPAMConfig.fromPartial({ gateway: address.replace(/\.\d+\/\d+$/, '.1') })],
    },
  },
  addresses: [address],
  aliases,
  driverAttachmentOpts: {},
});

export const onIngress = (): NetworkAttachment => ({
  network: Network.fromPartial({ id: 'ingress-id', spec: { ingress: true }, driverState: { name: 'overlay' } }),
  addresses: ['10.0.0.7/24'],
  aliases: [],
  driverAttachmentOpts: {},
});
