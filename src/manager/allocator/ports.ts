/**
 * Published ports of a service: what was asked for against what it has. A port number is part of the routing mesh (ingress)
 * or belongs to the node a task is on (host); the latter are kept apart by the scheduler and only carried along here.
 */
import { PortConfig_PublishMode, type PortConfig } from '../../proto/generated/docker/swarmkit/v1/types.ts';

type Ports = readonly PortConfig[] | undefined;

const isIngress = (port: PortConfig): boolean => port.publishMode === PortConfig_PublishMode.INGRESS;

/** Part of the mesh, under a number. */
const isChosen = (port: PortConfig): boolean => isIngress(port) && port.publishedPort !== 0;

/** What makes two ports the same one, whatever number it is published under. */
const identity = (port: PortConfig): string => `${port.name}\0${port.protocol}\0${port.targetPort}`;

/** Ports by identity, each handed out once. */
class PortPool {
  readonly #byIdentity = new Map<string, PortConfig[]>();

  constructor(ports: readonly PortConfig[]) {
    for (const port of ports) {
      const same = this.#byIdentity.get(identity(port));
      if (same) same.push(port);
      else this.#byIdentity.set(identity(port), [port]);
    }
  }

  /** Takes out the port with the identity and number of `wanted`; without a number the lowest one with its identity. */
  take(wanted: PortConfig): PortConfig | undefined {
    const same = this.#byIdentity.get(identity(wanted)) ?? [];
    const candidates = same.filter((p) => wanted.publishedPort === 0 || p.publishedPort === wanted.publishedPort);
    const taken = candidates.toSorted((a, b) => a.publishedPort - b.publishedPort)[0];
    if (taken) same.splice(same.indexOf(taken), 1);
    return taken;
  }
}

/**
 * The ports a service should have, in the order asked for: numbers it chose are as asked, numbers chosen for it stay with
 * their port across updates, and new ones are 0 until {@link PortSpace} chooses.
 */
export function reconcilePorts(wanted: Ports, allocated: Ports): readonly PortConfig[] {
  const held = new PortPool((allocated ?? []).filter(isChosen));
  for (const port of wanted ?? []) if (isChosen(port)) held.take(port);
  return (wanted ?? []).map((port) => {
    if (!isIngress(port) || port.publishedPort !== 0) return port;
    const previous = held.take(port);
    return previous ? { ...port, publishedPort: previous.publishedPort } : port;
  });
}

/** Whether nothing is left to choose or to give back. Undefined stands for no endpoint at all. */
export function arePortsAllocated(wanted: Ports, allocated: Ports): boolean {
  if (!wanted || !allocated) return wanted === allocated;
  if (wanted.length !== allocated.length) return false;
  const held = new PortPool(allocated.filter(isChosen));
  const hostTargets = new Set(allocated.filter((port) => !isIngress(port)).map((port) => port.targetPort));
  const ingress = wanted.filter(isIngress);
  return (
    ingress.filter(isChosen).every((port) => held.take(port) !== undefined) &&
    ingress.filter((port) => port.publishedPort === 0).every((port) => held.take(port) !== undefined) &&
    wanted.every((port) => isIngress(port) || hostTargets.has(port.targetPort))
  );
}

/** Whether a fixed host-mode port was asked for that the service does not carry yet. */
export function hostPortsNeedUpdate(wanted: Ports, allocated: Ports): boolean {
  const held = new PortPool((allocated ?? []).filter((port) => !isIngress(port)));
  return (wanted ?? []).some((port) => !isIngress(port) && port.publishedPort !== 0 && !held.take(port));
}
