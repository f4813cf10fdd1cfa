/** ports.json: published ports, from the spec check to the choice of numbers. */
import { isSwarmError } from '../../../src/common/errors.ts';
import { PortSpace } from '../../../src/manager/allocator/port-space.ts';
import { arePortsAllocated, hostPortsNeedUpdate, reconcilePorts } from '../../../src/manager/allocator/ports.ts';
import { validateEndpointSpec } from '../../../src/manager/control/validation/endpoint-spec.ts';
import {
  EndpointSpec_ResolutionMode,
  type EndpointSpec,
} from '../../../src/proto/generated/docker/swarmkit/v1/specs.ts';
import {
  PortConfig_Protocol,
  PortConfig_PublishMode,
  type PortConfig,
} from '../../../src/proto/generated/docker/swarmkit/v1/types.ts';
import { aServiceSpec, testControl } from '../../support/local-control.ts';
import { expectSame, failed, refuseUnknownMembers, type BehaviourCase, type CaseHandler } from './case.ts';

interface CasePort {
  readonly name: string;
  readonly target: number;
  readonly published: number;
  readonly proto: 'tcp' | 'udp' | 'sctp';
  readonly mode: 'ingress' | 'host';
}

const PROTOCOL = {
  tcp: PortConfig_Protocol.TCP,
  udp: PortConfig_Protocol.UDP,
  sctp: PortConfig_Protocol.SCTP,
} as const;
const MODE = { ingress: PortConfig_PublishMode.INGRESS, host: PortConfig_PublishMode.HOST } as const;

const toPort = (port: CasePort): PortConfig => ({
  name: port.name,
  targetPort: port.target,
  publishedPort: port.published,
  protocol: PROTOCOL[port.proto],
  publishMode: MODE[port.mode],
});

const keyOf = <T>(table: Readonly<Record<string, T>>, value: T): string =>
  Object.keys(table).find((key) => table[key] === value) ?? '';

const fromPort = (port: PortConfig): CasePort => ({
  name: port.name,
  target: port.targetPort,
  published: port.publishedPort,
  proto: keyOf(PROTOCOL, port.protocol) as CasePort['proto'],
  mode: keyOf(MODE, port.publishMode) as CasePort['mode'],
});

const toPorts = (ports: unknown): readonly PortConfig[] | undefined =>
  ports === null || ports === undefined ? undefined : (ports as readonly CasePort[]).map(toPort);

type Given = Readonly<Record<string, unknown>>;
const givenOf = (testCase: BehaviourCase): Given => testCase['given'] as Given;

export const ports: CaseHandler = async (testCase) => {
  const kind = String(testCase['kind']);
  const play = KINDS[kind];
  if (!play) return failed(`unknown kind ${kind}`);
  return expectSame(await play(givenOf(testCase), testCase['expect'] as Given), testCase['expect']);
};

type Play = (given: Given, expected: Given) => Given | Promise<Given>;

const KINDS: Readonly<Record<string, Play>> = {
  reconcile: (given) => ({ ports: reconcilePorts(toPorts(given['spec']), toPorts(given['allocated'])).map(fromPort) }),
  isAllocated: (given) => ({ allocated: arePortsAllocated(toPorts(given['spec']), toPorts(given['allocated'])) }),
  hostNeedsUpdate: (given) => ({
    needsUpdate: hostPortsNeedUpdate(toPorts(given['spec']), toPorts(given['allocated'])),
  }),
  allocate: allocateInSteps,
  space: takeFromSpace,
  apiConflict: createTwoServices,
  specValid: checkSpec,
};

/** Each step is a service of its own; a port with a number is reserved, one without gets the next dynamic one. */
function allocateInSteps(given: Given): Given {
  const space = new PortSpace();
  const ok = (given['steps'] as readonly Given[]).map((step) => {
    refuseUnknownMembers(step, ['spec', 'allocated'], 'members of a step');
    const taken: PortConfig[] = [];
    for (const port of reconcilePorts(toPorts(step['spec']), toPorts(step['allocated']))) {
      if (port.publishMode !== PortConfig_PublishMode.INGRESS) continue;
      const isFixed = port.publishedPort !== 0 && space.take(port.protocol, port.publishedPort);
      const publishedPort =
        port.publishedPort === 0 ? space.takeDynamic(port.protocol) : isFixed ? port.publishedPort : undefined;
      if (publishedPort === undefined) {
        for (const { protocol, publishedPort: number } of taken) space.release(protocol, number);
        return false;
      }
      taken.push({ ...port, publishedPort });
    }
    return true;
  });
  return { ok };
}

function takeFromSpace(given: Given, expected: Given): Given {
  refuseUnknownMembers(given, ['take', 'takeTcp', 'takeUdp', 'takeSctp', 'then', 'release'], 'members of a port space');
  const space = new PortSpace();
  const takeAll = (wanted: readonly number[], protocol: PortConfig_Protocol): (number | undefined)[] =>
    wanted.map((port) => (port === 0 ? space.takeDynamic(protocol) : space.take(protocol, port) ? port : undefined));
  const first = given['take'];
  const bulk = /^(\d+) dynamic ports$/.exec(typeof first === 'string' ? first : '')?.[1];
  let got: (number | undefined)[];
  if (bulk !== undefined) {
    const filled = takeAll(Array<number>(Number(bulk)).fill(0), PROTOCOL.tcp);
    if (filled.includes(undefined)) throw new Error('the space was full too early');
    got = [];
  } else {
    got = [
      ...takeAll((first ?? []) as readonly number[], PROTOCOL.tcp),
      ...takeAll((given['takeTcp'] ?? []) as readonly number[], PROTOCOL.tcp),
      ...takeAll((given['takeUdp'] ?? []) as readonly number[], PROTOCOL.udp),
      ...takeAll((given['takeSctp'] ?? []) as readonly number[], PROTOCOL.sctp),
    ];
  }
  for (const port of (given['release'] ?? []) as readonly number[]) space.release(PROTOCOL.tcp, port);
  got.push(...takeAll((given['then'] ?? []) as readonly number[], PROTOCOL.tcp));
  return {
    ...('ok' in expected ? { ok: got.map((port) => port !== undefined) } : {}),
    ...('got' in expected ? { got: got.map((port) => port ?? null) } : {}),
  };
}

async function createTwoServices(given: Given): Promise<Given> {
  const { control } = await testControl();
  const create = (name: string, port: unknown): Promise<unknown> =>
    control.createService({
      id: '',
      spec: aServiceSpec(name, {
        endpoint: { mode: EndpointSpec_ResolutionMode.VIP, ports: [toPort(port as CasePort)] },
      }),
    });
  await create('first', given['first']);
  return { secondAccepted: await isAccepted(() => create('second', given['second'])) };
}

async function checkSpec(given: Given): Promise<Given> {
  const mode = given['mode'] === 'dnsrr' ? EndpointSpec_ResolutionMode.DNSRR : EndpointSpec_ResolutionMode.VIP;
  const spec: EndpointSpec = { mode, ports: toPorts(given['ports']) ?? [] };
  return { ok: await isAccepted(() => validateEndpointSpec(spec)) };
}

/** False when refused as invalid; other errors are passed on. */
async function isAccepted(action: () => unknown): Promise<boolean> {
  try {
    await action();
    return true;
  } catch (error) {
    if (isSwarmError(error, 'invalidArgument')) return false;
    throw error;
  }
}
