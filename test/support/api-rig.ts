/** The HTTP API over a real store and the real use cases of a manager, with a node whose membership a test decides. */
import inject from 'light-my-request';
import { Registry } from 'prom-client';
import { SwarmError } from '../../src/common/errors.ts';
import { systemClock } from '../../src/common/clock.ts';
import { newId } from '../../src/common/ids.ts';
import { silentLogger } from '../../src/common/log.ts';
import { createRootCa, issuerInfo } from '../../src/identity/certificate.ts';
import { createApi, type ApiOptions, type ApiServer } from '../../src/api/server.ts';
import type {
  InitSwarmRequest,
  JoinSwarmRequest,
  LocalNodeInfo,
  ServiceExplanation,
  Swarm,
} from '../../src/api/ports.ts';
import { newCluster } from '../../src/manager/control/bootstrap.ts';
import { rehearse } from '../../src/manager/rehearsal/rehearse.ts';
import { seededRandom } from '../../src/common/random.ts';
import { localControl } from '../../src/manager/control/local-control.ts';
import type { Store } from '../../src/manager/store/store.ts';
import { Node } from '../../src/proto/generated/docker/swarmkit/v1/objects.ts';
import type {
  SubscribeLogsMessage,
  SubscribeLogsRequest,
} from '../../src/proto/generated/docker/swarmkit/v1/logbroker.ts';
import type { TaskUsage } from '../../src/proto/generated/docker/swarmkit/v1/usage.ts';
import { localStore } from './local-store.ts';

export const NODE_ID = 'node1aaaaaaaaaaaaaaaaaaaa';
export const UNLOCK_KEY = Buffer.alloc(32, 7);

type LogsSource = (request: SubscribeLogsRequest, signal: AbortSignal) => AsyncIterable<SubscribeLogsMessage>;

export interface ApiRig {
  readonly api: ApiServer;
  readonly store: Store;
  readonly swarm: Swarm;
  /** State of the local node; `manager` decides whether the swarm can be reached. */
  setNode(info: Partial<LocalNodeInfo>, isServing: boolean): void;
  /** What the local node was asked to do. */
  readonly membership: unknown[];
  logs: LogsSource;
  usage: readonly TaskUsage[];
  explanation: ServiceExplanation;
  /** One request; the body is sent as JSON unless it is a string. */
  call(method: string, url: string, body?: unknown, headers?: Record<string, string>): Promise<Answer>;
  close(): Promise<void>;
}

interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, unknown>>;
  readonly text: string;
  /** The body as JSON. */
  readonly json: Json;
  readonly message: string;
}

/** JSON a test looks into. */
export type Json = { readonly [key: string]: Json } & { readonly [index: number]: Json } & readonly Json[];

const ACTIVE: LocalNodeInfo = {
  state: 'active',
  nodeId: NODE_ID,
  nodeAddr: '127.0.0.1',
  isManager: true,
  error: '',
  remoteManagers: [{ nodeId: NODE_ID, addr: '127.0.0.1:2377' }],
};

export async function apiRig(options: ApiOptions = {}): Promise<ApiRig> {
  const root = await createRootCa(Date.now());
  const store = localStore(systemClock).store;
  let tokens = 0;
  const control = localControl({
    store,
    clock: systemClock,
    newId,
    members: { has: (id) => id === NODE_ID, canRemove: () => true },
    newJoinToken: () => `SWMTKN-1-${'0'.repeat(50)}-${String(++tokens).padStart(25, '0')}`,
    newUnlockKey: () => UNLOCK_KEY,
    reachAuthorities: () => Promise.resolve(),
  });
  await store.update((tx) => {
    tx.cluster.create(
      newCluster({
        nowMs: 0,
        clusterId: newId(),
        root,
        joinTokens: { worker: 'SWMTKN-1-w', manager: 'SWMTKN-1-m' },
        newUnlockKey: () => UNLOCK_KEY,
        randomBytes: (count) => Buffer.alloc(count, 1),
      }),
    );
    tx.node.create(managerNode(root.certificate));
  });

  let info = ACTIVE;
  let isServing = true;
  const listeners = new Set<() => void>();
  const membership: unknown[] = [];
  const rig = {
    logs: noLogs as LogsSource,
    usage: [] as readonly TaskUsage[],
    explanation: { serviceId: '', tasks: [] } as ServiceExplanation,
  };
  const swarm: Swarm = {
    control,
    store,
    readBarrier: () => Promise.resolve(),
    subscribeLogs: (request, signal) => rig.logs(request, signal),
    taskUsage: () => Promise.resolve(rig.usage),
    backup: () => ({ head: { clusterId: '', nodeId: '', address: '', index: 0, term: 0 }, pieces: [] }),
    explainService: (serviceId) => Promise.resolve({ ...rig.explanation, serviceId }),
    planService: (change, signal) =>
      rehearse(
        { state: store.capture(), nowMs: Date.now(), random: seededRandom(1), newId, log: silentLogger },
        change,
        signal,
      ),
    status: () => ({
      clusterId: store.read.cluster.all()[0]?.id ?? '',
      nodeId: NODE_ID,
      leaderId: NODE_ID,
      isLeader: true,
      term: 2,
      commitIndex: store.version,
      appliedIndex: store.version,
      stateHash: () => 'ab'.repeat(32),
      members: [],
    }),
  };
  const api = createApi(
    {
      node: {
        info: () => info,
        system: () => SYSTEM,
        initSwarm: (request: InitSwarmRequest) => {
          membership.push({ init: request });
          return Promise.resolve(NODE_ID);
        },
        joinSwarm: (request: JoinSwarmRequest) => {
          membership.push({ join: request });
          return Promise.resolve();
        },
        leaveSwarm: (request) => {
          membership.push({ leave: request });
          return Promise.resolve();
        },
        attachContainer: () => Promise.reject(new SwarmError('failedPrecondition', 'there is no agent')),
        findNameServer: () => Promise.resolve(undefined),
        nameServers: () => Promise.resolve([]),
        detachContainer: () => Promise.resolve(),
        unlock: (key) => {
          membership.push({ unlock: Buffer.from(key).toString('hex') });
          return Buffer.from(key).equals(UNLOCK_KEY)
            ? Promise.resolve()
            : Promise.reject(new SwarmError('unauthenticated', 'swarm could not be unlocked: invalid key provided'));
        },
      },
      swarm: {
        current: () => (isServing ? swarm : undefined),
        subscribe: (listener) => {
          listeners.add(listener);
          return () => listeners.delete(listener);
        },
      },
      issuerOf: issuerInfo,
      metrics: new Registry(),
      log: silentLogger,
      clock: systemClock,
    },
    options,
  );
  return Object.assign(rig, {
    api,
    store,
    swarm,
    membership,
    setNode: (changes: Partial<LocalNodeInfo>, serving: boolean) => {
      info = { ...ACTIVE, ...changes };
      isServing = serving;
      for (const listener of listeners) listener();
    },
    call: async (method: string, url: string, body?: unknown, headers: Record<string, string> = {}) => {
      const payload = body === undefined || typeof body === 'string' ? body : JSON.stringify(body);
      const answer = await inject(api.handle, {
        method: method as 'GET',
        url,
        headers: { ...(payload === undefined ? {} : { 'content-type': 'application/json' }), ...headers },
        ...(payload === undefined ? {} : { payload: payload as string }),
      });
      return answerOf(answer.statusCode, answer.headers, answer.payload);
    },
    close: () => api.close(),
  });
}

function answerOf(status: number, headers: Readonly<Record<string, unknown>>, text: string): Answer {
  const json = parsed(text);
  return { status, headers, text, json, message: String((json as Json | undefined)?.['message'] ?? '') };
}

function parsed(text: string): Json {
  try {
    return JSON.parse(text) as Json;
  } catch {
    return undefined as unknown as Json;
  }
}

async function* noLogs(): AsyncGenerator<SubscribeLogsMessage> {
  yield { messages: [] };
}

const SYSTEM = {
  id: 'MACHINE',
  hostname: 'host1',
  version: '0.1.0',
  gitCommit: 'abc',
  buildTime: '',
  kernelVersion: '6.1.0',
  operatingSystem: 'Debian GNU/Linux 12 (bookworm)',
  osType: 'linux',
  architecture: 'x86_64',
  cpus: 2,
  memoryBytes: 4_000_000_000,
  dataDir: '/var/lib/swarmd',
  labels: [],
  runtime: 'process',
};

const managerNode = (rootCertificate: string): Node => {
  const issuer = issuerInfo(rootCertificate);
  return Node.fromPartial({
    id: NODE_ID,
    spec: { annotations: { labels: {} }, desiredRole: 1, membership: 1 },
    role: 1,
    description: {
      hostname: 'host1',
      platform: { architecture: 'x86_64', os: 'linux' },
      resources: { nanoCpus: 2e9, memoryBytes: 4e9 },
      engine: { engineVersion: '0.1.0' },
      tlsInfo: {
        trustRoot: Buffer.from(rootCertificate),
        certIssuerSubject: issuer.subject,
        certIssuerPublicKey: issuer.publicKey,
      },
    },
    status: { state: 2, addr: '127.0.0.1' },
    managerStatus: { raftId: '1', addr: '127.0.0.1:2377', leader: true, reachability: 2 },
  });
};
