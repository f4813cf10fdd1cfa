/** Networks that every engine has of its own; the swarm only knows their names. */
import type { Network } from '../../proto/generated/docker/swarmkit/v1/objects.ts';

/** Their drivers, which are also their names. */
export const NODE_LOCAL_DRIVERS = ['bridge', 'host'] as const;

/** Marks their objects, as in a real Swarm. */
export const PREDEFINED_LABEL = 'com.docker.swarm.predefined';

/** Whether a network ends at the node: its tasks get no address from the swarm. */
export const isNodeLocal = (network: Network): boolean =>
  NODE_LOCAL_DRIVERS.some((driver) => driver === network.spec?.driverConfig?.name);
