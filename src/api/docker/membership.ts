/** What people say when a node makes a swarm or joins one. */
import { badRequest } from '../http-error.ts';
import { flag, struct, text, texts, uint32, type Decoded } from '../json/decoder.ts';
import type { InitSwarmRequest, JoinSwarmRequest } from '../ports.ts';
import { mergeSwarmSpec, swarmSpec } from './cluster.ts';
import { clusterDefaults } from '../../common/cluster-defaults.ts';
import { optionalAvailability } from './node.ts';
import { advertiseAddress, dataPathAddress, requireListenAddress, requireSomeListenAddress } from './node-addresses.ts';

export const swarmInitRequest = struct('swarm.InitRequest', {
  ListenAddr: text,
  AdvertiseAddr: text,
  DataPathAddr: text,
  DataPathPort: uint32,
  ForceNewCluster: flag,
  Spec: swarmSpec,
  AutoLockManagers: flag,
  Availability: text,
  DefaultAddrPool: texts,
  SubnetSize: uint32,
});

export const swarmJoinRequest = struct('swarm.JoinRequest', {
  ListenAddr: text,
  AdvertiseAddr: text,
  DataPathAddr: text,
  RemoteAddrs: texts,
  JoinToken: text,
  Availability: text,
});

const MIN_DATA_PATH_PORT = 1024;
const MAX_DATA_PATH_PORT = 49_151;

/** Throws badRequest. */
export function initRequestToPort(docker: Decoded<typeof swarmInitRequest>): InitSwarmRequest {
  const spec = docker.Spec ?? {};
  // Looks at the settings before anything is started.
  mergeSwarmSpec(spec, {});
  return {
    listenAddr: requireListenAddress(docker.ListenAddr),
    advertiseAddr: advertiseAddress(docker.AdvertiseAddr),
    dataPathAddr: dataPathAddress(docker.DataPathAddr),
    dataPathPort: dataPathPort(docker.DataPathPort ?? 0),
    forceNewCluster: docker.ForceNewCluster ?? false,
    availability: optionalAvailability(docker.Availability),
    // Of one that is not named Docker shows what it is; an empty one, as its CLI sends it, stands for the same.
    defaultAddressPool: docker.DefaultAddrPool ?? clusterDefaults.addressPool,
    subnetSize: docker.SubnetSize ?? 0,
    clusterSpec: (defaults) => {
      const merged = mergeSwarmSpec(spec, defaults);
      return docker.AutoLockManagers ? { ...merged, encryptionConfig: { autoLockManagers: true } } : merged;
    },
  };
}

/** Throws badRequest. */
export function joinRequestToPort(docker: Decoded<typeof swarmJoinRequest>): JoinSwarmRequest {
  requireSomeListenAddress(docker.ListenAddr);
  const remoteAddrs = (docker.RemoteAddrs ?? []).filter((address) => address !== '');
  if (remoteAddrs.length === 0) throw badRequest('at least 1 RemoteAddr is required to join');
  const listenAddr = requireListenAddress(docker.ListenAddr);
  const dataPathAddr = dataPathAddress(docker.DataPathAddr);
  if (!docker.JoinToken) throw badRequest('invalid join token: get one with "docker swarm join-token" on a manager');
  return {
    listenAddr,
    advertiseAddr: advertiseAddress(docker.AdvertiseAddr),
    dataPathAddr,
    remoteAddrs,
    joinToken: docker.JoinToken,
    availability: optionalAvailability(docker.Availability),
  };
}

function dataPathPort(port: number): number {
  if (port !== 0 && (port < MIN_DATA_PATH_PORT || port > MAX_DATA_PATH_PORT)) {
    throw badRequest(
      `Datapath port number is not in valid range (${MIN_DATA_PATH_PORT}-${MAX_DATA_PATH_PORT}) : ${port}: choose a DataPathPort within it, or none`,
    );
  }
  return port;
}
