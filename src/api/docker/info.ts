/** `GET /info` */
import { NodeRole } from '../../proto/generated/docker/swarmkit/v1/types.ts';
import type { ApiPorts, LocalNodeInfo, Swarm } from '../ports.ts';
import { clusterToDocker } from './cluster.ts';

const GO_ARCHITECTURES: Readonly<Record<string, string>> = {
  x86_64: 'amd64',
  aarch64: 'arm64',
  armv7l: 'arm',
  i686: '386',
};

/** "x86_64" → "amd64" */
export const goArchitecture = (unameName: string): string => GO_ARCHITECTURES[unameName] ?? unameName;

export function infoToDocker({ node, swarm, issuerOf }: ApiPorts, now: Date): object {
  const system = node.system();
  const warnings: string[] = [];
  return {
    ID: system.id,
    Containers: 0,
    ContainersRunning: 0,
    ContainersPaused: 0,
    ContainersStopped: 0,
    Images: 0,
    Driver: system.runtime,
    DriverStatus: [],
    Plugins: { Volume: [], Network: [], Authorization: null, Log: [] },
    MemoryLimit: true,
    SwapLimit: true,
    CpuCfsPeriod: true,
    CpuCfsQuota: true,
    CPUShares: true,
    CPUSet: true,
    PidsLimit: true,
    IPv4Forwarding: true,
    OomKillDisable: true,
    Debug: false,
    NFd: 0,
    NGoroutines: 0,
    SystemTime: now.toISOString(),
    LoggingDriver: 'json-file',
    CgroupDriver: 'none',
    NEventsListener: 0,
    KernelVersion: system.kernelVersion,
    OperatingSystem: system.operatingSystem,
    OSType: system.osType,
    Architecture: system.architecture,
    IndexServerAddress: 'https://index.docker.io/v1/',
    RegistryConfig: null,
    NCPU: system.cpus,
    MemTotal: system.memoryBytes,
    GenericResources: null,
    DockerRootDir: system.dataDir,
    HttpProxy: '',
    HttpsProxy: '',
    NoProxy: '',
    Name: system.hostname,
    Labels: system.labels,
    ExperimentalBuild: false,
    ServerVersion: system.version,
    Runtimes: { [system.runtime]: { path: system.runtime } },
    DefaultRuntime: system.runtime,
    Swarm: swarmBlock(node.info(), swarm.current(), issuerOf),
    LiveRestoreEnabled: true,
    Isolation: '',
    InitBinary: '',
    ContainerdCommit: { ID: '' },
    RuncCommit: { ID: '' },
    InitCommit: { ID: '' },
    SecurityOptions: [],
    Warnings: warnings,
  };
}

function swarmBlock(node: LocalNodeInfo, swarm: Swarm | undefined, issuerOf: ApiPorts['issuerOf']): object {
  const block = {
    NodeID: node.nodeId,
    NodeAddr: node.nodeAddr,
    LocalNodeState: node.state,
    ControlAvailable: swarm !== undefined,
    Error: node.error,
    RemoteManagers:
      node.remoteManagers.length > 0
        ? node.remoteManagers.map(({ nodeId, addr }) => ({ NodeID: nodeId, Addr: addr }))
        : null,
  };
  if (!swarm) return block;
  const { read } = swarm.store;
  const cluster = read.cluster.byName('default') ?? read.cluster.all()[0];
  const managers = read.node.all().filter((n) => n.spec?.desiredRole === NodeRole.MANAGER).length;
  return {
    ...block,
    Nodes: read.node.size,
    Managers: managers,
    Cluster: cluster && clusterToDocker(cluster, issuerOf),
    Warnings: managerCountWarnings(managers),
  };
}

function managerCountWarnings(managers: number): readonly string[] | undefined {
  if (managers === 2) {
    return [
      'WARNING: Running Swarm in a two-manager configuration. This configuration provides\n         no fault tolerance, and poses a high risk to lose control over the cluster.\n         Add a third manager, or demote one of the two.',
    ];
  }
  return undefined;
}
