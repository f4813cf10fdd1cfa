/** The parts of Docker's API objects that the commands look at. */

interface Versioned {
  readonly ID: string;
  readonly Version: { readonly Index: number };
  readonly CreatedAt: string;
  readonly UpdatedAt: string;
}

export interface NodeObject extends Versioned {
  readonly Spec: {
    readonly Name?: string;
    readonly Role: string;
    readonly Availability: string;
    readonly Labels: Record<string, string>;
  };
  /** Incomplete until the agent of the node has told of itself. */
  readonly Description?: {
    readonly Hostname?: string;
    readonly Engine?: { readonly EngineVersion?: string };
    readonly Platform?: { readonly Architecture?: string; readonly OS?: string };
    readonly Resources?: { readonly NanoCPUs?: number; readonly MemoryBytes?: number };
    readonly TLSInfo?: TlsInfoObject;
  };
  readonly Status: { readonly State: string; readonly Addr?: string; readonly Message?: string };
  readonly ManagerStatus?: { readonly Leader?: boolean; readonly Reachability: string; readonly Addr: string };
}

export const hostnameOf = (node: NodeObject): string => node.Description?.Hostname ?? '';

export interface ServiceSpecObject {
  Name: string;
  Labels: Record<string, string>;
  TaskTemplate: TaskTemplate;
  Mode: ServiceMode;
  UpdateConfig?: UpdateConfigObject;
  RollbackConfig?: UpdateConfigObject;
  EndpointSpec?: { Mode?: string; Ports?: PortObject[] };
}

interface TaskTemplate {
  ContainerSpec: ContainerObject;
  Resources?: { Limits?: ResourceObject; Reservations?: ResourceObject };
  RestartPolicy?: { Condition?: string; Delay?: number; MaxAttempts?: number; Window?: number };
  Placement?: {
    Constraints?: string[];
    Preferences?: { Spread: { SpreadDescriptor: string } }[];
    MaxReplicas?: number;
  };
  Networks?: { Target: string }[];
  ForceUpdate?: number;
}

interface ContainerObject {
  Image: string;
  Command?: string[];
  Args?: string[];
  Env?: string[];
  Dir?: string;
  User?: string;
  TTY?: boolean;
  Hostname?: string;
  Labels?: Record<string, string>;
  Mounts?: MountObject[];
  StopSignal?: string;
  StopGracePeriod?: number;
  Healthcheck?: { Test?: string[]; Interval?: number; Timeout?: number; Retries?: number; StartPeriod?: number };
  Secrets?: object[];
  Configs?: object[];
}

export interface ServiceMode {
  Replicated?: { Replicas?: number };
  Global?: object;
  ReplicatedJob?: { MaxConcurrent?: number; TotalCompletions?: number };
  GlobalJob?: object;
}

interface ResourceObject {
  NanoCPUs?: number;
  MemoryBytes?: number;
  Pids?: number;
}

export interface UpdateConfigObject {
  Parallelism?: number;
  Delay?: number;
  FailureAction?: string;
  Monitor?: number;
  MaxFailureRatio?: number;
  Order?: string;
}

export interface PortObject {
  readonly Protocol: string;
  readonly TargetPort: number;
  readonly PublishedPort?: number;
  readonly PublishMode: string;
}

export interface MountObject {
  readonly Type: string;
  readonly Source?: string;
  readonly Target: string;
  readonly ReadOnly?: boolean;
}

export interface ServiceObject extends Versioned {
  readonly Spec: ServiceSpecObject;
  readonly PreviousSpec?: ServiceSpecObject;
  readonly Endpoint?: { readonly Ports?: readonly PortObject[] };
  readonly UpdateStatus?: { readonly State: string; readonly Message?: string };
  readonly ServiceStatus?: {
    readonly RunningTasks: number;
    readonly DesiredTasks: number;
    readonly CompletedTasks?: number;
  };
  /** In jobs alone. An index of 0 is left out. */
  readonly JobStatus?: { readonly JobIteration?: { readonly Index?: number } };
}

export interface TaskObject extends Versioned {
  readonly ServiceID: string;
  readonly Slot?: number;
  readonly NodeID?: string;
  readonly Spec: {
    readonly ContainerSpec?: ContainerObject;
    readonly Resources?: { readonly Limits?: { readonly MemoryBytes?: number } };
  };
  readonly Status: {
    readonly Timestamp: string;
    readonly State: string;
    readonly Message?: string;
    readonly Err?: string;
    readonly ContainerStatus?: { readonly PID?: number; readonly ExitCode?: number };
  };
  readonly DesiredState: string;
  readonly JobIteration?: { readonly Index?: number };
}

export interface NetworkObject {
  readonly Id: string;
  readonly Name: string;
  readonly Driver: string;
  readonly Scope: string;
  readonly Created: string;
  readonly Ingress?: boolean;
  readonly IPAM: { readonly Config?: readonly { readonly Subnet?: string; readonly Gateway?: string }[] | null };
}

export interface NamedObject extends Versioned {
  readonly Spec: { readonly Name: string; readonly Labels: Record<string, string>; readonly Data?: string };
}

export interface SwarmObject extends Versioned {
  readonly Spec: {
    readonly Labels?: Record<string, string>;
    readonly CAConfig?: { readonly ForceRotate?: number; readonly SigningCACert?: string };
    readonly EncryptionConfig?: { readonly AutoLockManagers?: boolean };
    readonly Orchestration?: { readonly TaskHistoryRetentionLimit?: number };
    readonly Dispatcher?: { readonly HeartbeatPeriod?: number };
  };
  readonly TLSInfo?: TlsInfoObject;
  readonly RootRotationInProgress?: boolean;
  readonly JoinTokens: { readonly Worker: string; readonly Manager: string };
}

interface TlsInfoObject {
  readonly TrustRoot?: string;
  readonly CertIssuerPublicKey?: string;
}

export interface InfoObject {
  readonly Name: string;
  readonly ServerVersion: string;
  readonly Swarm: {
    readonly NodeID: string;
    readonly NodeAddr: string;
    readonly LocalNodeState: string;
    readonly ControlAvailable: boolean;
    readonly Error: string;
    readonly Nodes?: number;
    readonly Managers?: number;
    readonly RemoteManagers?: readonly { readonly NodeID: string; readonly Addr: string }[];
  };
}
