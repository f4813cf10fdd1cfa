/**
 * Fields of compose files that a swarm does not act on, and what to do instead. As with the Docker CLI, what is left out
 * keeps nobody from deploying, and what is refused does. There each was tried: it leaves out without a word in some places.
 */
export interface UnusedField {
  readonly isRefused: boolean;
  readonly instead: string;
}

export type UnusedFields = Readonly<Record<string, UnusedField>>;

const leftOut = (instead: string): UnusedField => ({ isRefused: false, instead });
const refused = (instead: string): UnusedField => ({ isRefused: true, instead });

const BY_NAME = 'services reach one another by name on a network they share';
const CPU_LIMIT = 'use deploy.resources.limits.cpus';
const MEMORY_LIMIT = 'use deploy.resources.limits.memory';
const RESERVED = 'reserve devices with deploy.resources.reservations.generic_resources';
const OWN_NAMESPACES = 'each task has namespaces of its own';
const FIXED_ADDRESS = 'a swarm chooses the addresses of tasks itself: use the names of services';
const ENGINE_DEFAULT = 'set the default of the engine on each node';

export const UNUSED = {
  file: {
    name: refused('leave it out: the command says how the stack is called'),
    include: refused('add the other file with -c'),
    models: refused('name the model in the environment of the service'),
  },
  service: {
    build: leftOut('images are not built when a stack is deployed: build and push it first, and name it with image'),
    cgroup_parent: leftOut(ENGINE_DEFAULT),
    cgroupns_mode: leftOut(ENGINE_DEFAULT),
    container_name: leftOut('tasks get their names from the service: use the name of the service'),
    devices: leftOut(RESERVED),
    domainname: leftOut('write the whole name into hostname'),
    expose: leftOut('services on one network reach each other on every port'),
    external_links: leftOut(BY_NAME),
    ipc: leftOut(OWN_NAMESPACES),
    links: leftOut(BY_NAME),
    mac_address: leftOut('a swarm chooses the addresses of tasks itself'),
    network_mode: leftOut('attach the service to networks instead; the external network "host" is that of the node'),
    pid: leftOut(OWN_NAMESPACES),
    privileged: leftOut('use cap_add for the capabilities it needs'),
    security_opt: leftOut(ENGINE_DEFAULT),
    shm_size: leftOut('mount a tmpfs volume with tmpfs.size on /dev/shm'),
    userns_mode: leftOut(ENGINE_DEFAULT),

    cpu_count: refused(CPU_LIMIT),
    cpu_percent: refused(CPU_LIMIT),
    cpu_period: refused(CPU_LIMIT),
    cpu_quota: refused(CPU_LIMIT),
    cpu_shares: refused('use deploy.resources.reservations.cpus'),
    cpus: refused(CPU_LIMIT),
    cpuset: refused(CPU_LIMIT),
    extends: refused('put what is shared into an anchor (&name, *name) or into a second file with -c'),
    gpus: refused(RESERVED),
    mem_limit: refused(MEMORY_LIMIT),
    mem_reservation: refused('use deploy.resources.reservations.memory'),
    memswap_limit: refused(MEMORY_LIMIT),
    pids_limit: refused('use deploy.resources.limits.pids'),
    platform: refused('use deploy.placement.constraints with node.platform.os and node.platform.arch'),
    profiles: refused('put these services into a file of their own and add it with -c'),
    pull_policy: refused('leave it out: nodes pull the images they lack'),
    scale: refused('use deploy.replicas'),
    volume_driver: refused('declare the volume below volumes: of the file, and its driver there'),
    volumes_from: refused('declare the volume below volumes: of the file, and name it in both services'),
  },
  attachment: {
    ipv4_address: leftOut(FIXED_ADDRESS),
    ipv6_address: leftOut(FIXED_ADDRESS),
    link_local_ips: refused(FIXED_ADDRESS),
    mac_address: refused(FIXED_ADDRESS),
    gw_priority: refused('leave it out: a swarm chooses the gateway'),
    interface_name: refused('leave it out: a swarm names interfaces itself'),
    priority: refused('leave it out: networks are attached in the order of their names'),
  },
  port: {
    app_protocol: refused('leave it out: ports of a swarm have none'),
    host_ip: refused('leave it out: a swarm publishes ports on all addresses of a node'),
    name: refused('leave it out: ports of a swarm have none'),
  },
  bindMount: {
    create_host_path: leftOut('the path has to be there on each node'),
    recursive: leftOut('use bind.propagation'),
    selinux: leftOut('label the path on each node'),
  },
  tmpfsMount: { mode: leftOut('set the mode of the folder when the container starts') },
  limits: {
    devices: refused(RESERVED),
    generic_resources: refused('they can only be reserved: use deploy.resources.reservations'),
  },
  reservations: {
    devices: refused('use generic_resources'),
    pids: refused('they can only be limited: use deploy.resources.limits'),
  },
  /** Of a secret or a config. */
  data: {
    content: refused('put it into a file and name that with file'),
    environment: refused('put it into a file and name that with file'),
  },
} as const satisfies Readonly<Record<string, UnusedFields>>;
