/** The demo service of `npm start`: three replicas of a small web page on the process runtime. */
import { fileURLToPath } from 'node:url';
import { SwarmError } from '../common/errors.ts';
import { UpdateServiceRequest_Rollback } from '../proto/generated/docker/swarmkit/v1/control.ts';
import type { Service } from '../proto/generated/docker/swarmkit/v1/objects.ts';
import { ContainerSpec, ServiceSpec } from '../proto/generated/docker/swarmkit/v1/specs.ts';
import {
  RestartPolicy_RestartCondition,
  TaskState,
  UpdateConfig,
} from '../proto/generated/docker/swarmkit/v1/types.ts';
import { isFree } from './addresses.ts';
import type { SwarmNode } from './swarm-node.ts';

const NAME = 'demo-web';
const REPLICAS = 3;
const SCRIPT = fileURLToPath(new URL('../../deploy/demo/web.js', import.meta.url));
const PORT_PATTERN = /^PORT=(\d+)\{\{\.Task\.Slot\}\}$/;
const START_TIMEOUT_MS = 20_000;
const POLL_MS = 30;
const ANSWER_TIMEOUT_MS = 2_000;

export interface DemoService {
  readonly name: string;
  readonly replicas: number;
  readonly urls: readonly string[];
}

/** Creates the service, or finds the one of an earlier run, and waits until every replica answers. */
export async function createDemo(node: SwarmNode): Promise<DemoService> {
  const swarm = node.current();
  if (!swarm) throw new SwarmError('unavailable', 'the demo service needs a running manager');
  let service = swarm.store.read.service.byName(NAME);
  if (!service) {
    const prefix = await freePortPrefix();
    service = (await swarm.control.createService({ spec: specOf(prefix), id: '' })).service;
  } else {
    const spec = specFromHere(service);
    if (spec) {
      const serviceVersion = service.meta?.version;
      const { NONE } = UpdateServiceRequest_Rollback;
      ({ service = service } = await swarm.control.updateService({
        serviceId: service.id,
        serviceVersion,
        spec,
        rollback: NONE,
      }));
    }
  }
  const urls = urlsOf(service);
  const deadline = Date.now() + START_TIMEOUT_MS;
  for (const url of urls) await untilItAnswers(url, deadline);
  const running = (): number =>
    swarm.store.read.task
      .by('service', service?.id ?? '')
      .filter((t) => t.status?.state === TaskState.RUNNING && t.desiredState === TaskState.RUNNING).length;
  while (running() < urls.length && Date.now() < deadline) await pause();
  return { name: NAME, replicas: urls.length, urls };
}

const pause = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, POLL_MS));

function specOf(portPrefix: string): ServiceSpec {
  const env = [`PORT=${portPrefix}{{.Task.Slot}}`, 'REPLICA={{.Task.Slot}}', 'NODE={{.Node.Hostname}}'];
  const container: ContainerSpec = {
    ...ContainerSpec.fromPartial({ image: 'host' }),
    command: [process.execPath, SCRIPT],
    env,
  };
  return ServiceSpec.fromPartial({
    annotations: { name: NAME, labels: { 'swarmd.demo': 'true' } },
    mode: { $case: 'replicated', value: { replicas: REPLICAS } },
    task: {
      runtime: { $case: 'container', value: container },
      restart: { condition: RestartPolicy_RestartCondition.ANY, delay: { seconds: 1, nanos: 0 } },
    },
  });
}

/** What a service of an earlier run must become when this program was moved since, or Node.js was; undefined if it may stay as it is. */
function specFromHere({ spec }: Service): ServiceSpec | undefined {
  const runtime = spec?.task?.runtime;
  if (!spec?.task || runtime?.$case !== 'container') return undefined;
  const command = [process.execPath, SCRIPT];
  if (runtime.value.command.join('\0') === command.join('\0')) return undefined;
  const task = { ...spec.task, runtime: { ...runtime, value: { ...runtime.value, command } } };
  // What it ran before cannot start any more: nothing is gained by going on one by one.
  return { ...spec, task, update: UpdateConfig.fromPartial({ parallelism: 0 }) };
}

function urlsOf(service: Service | undefined): readonly string[] {
  const runtime = service?.spec?.task?.runtime;
  const env = runtime?.$case === 'container' ? runtime.value.env : [];
  const prefix = env.map((line) => PORT_PATTERN.exec(line)?.[1]).find((p) => p !== undefined);
  const replicas = service?.spec?.mode?.$case === 'replicated' ? service.spec.mode.value.replicas : 0;
  return prefix === undefined ? [] : Array.from({ length: replicas }, (_, i) => `http://127.0.0.1:${prefix}${i + 1}/`);
}

async function untilItAnswers(url: string, deadline: number): Promise<void> {
  while (!(await answers(url))) {
    if (Date.now() > deadline)
      throw new SwarmError(
        'deadlineExceeded',
        `the demo service does not answer at ${url}; see "swarmctl service ps ${NAME}"`,
      );
    await pause();
  }
}

async function answers(url: string): Promise<boolean> {
  try {
    const response = await fetch(url, { signal: AbortSignal.timeout(ANSWER_TIMEOUT_MS) });
    await response.body?.cancel();
    return response.ok;
  } catch {
    return false;
  }
}

/** "808", "818", … whose ports ending in 1, 2, 3 are free. */
async function freePortPrefix(): Promise<string> {
  for (let tens = 808; tens < 988; tens++) {
    const ports = Array.from({ length: REPLICAS }, (_, i) => tens * 10 + i + 1);
    if ((await Promise.all(ports.map((port) => isFree('127.0.0.1', port)))).every(Boolean)) return String(tens);
  }
  throw new SwarmError('unavailable', 'no three free ports were found between 8081 and 9873 for the demo service');
}
