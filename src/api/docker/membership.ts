/** What people say when a node makes a swarm or joins one. */
import { isIP } from 'node:net';
import { badRequest } from '../http-error.ts';
import { flag, struct, text, texts, uint32, type Decoded } from '../json/decoder.ts';
import type { InitSwarmRequest, JoinSwarmRequest } from '../ports.ts';
import { mergeSwarmSpec, swarmSpec } from './cluster.ts';
import { optionalAvailability } from './node.ts';

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
const MAX_SUBNET_SIZE = 29;

/** Throws badRequest. */
export function initRequestToPort(docker: Decoded<typeof swarmInitRequest>): InitSwarmRequest {
  const spec = docker.Spec ?? {};
  // Looks at the settings before anything is started.
  mergeSwarmSpec(spec, {});
  return {
    listenAddr: requiredListenAddr(docker.ListenAddr),
    advertiseAddr: docker.AdvertiseAddr ?? '',
    dataPathAddr: docker.DataPathAddr ?? '',
    dataPathPort: dataPathPort(docker.DataPathPort ?? 0),
    forceNewCluster: docker.ForceNewCluster ?? false,
    availability: optionalAvailability(docker.Availability),
    defaultAddressPool: (docker.DefaultAddrPool ?? []).map(subnet),
    subnetSize: subnetSize(docker.SubnetSize ?? 0),
    clusterSpec: (defaults) => {
      const merged = mergeSwarmSpec(spec, defaults);
      return docker.AutoLockManagers ? { ...merged, encryptionConfig: { autoLockManagers: true } } : merged;
    },
  };
}

/** Throws badRequest. */
export function joinRequestToPort(docker: Decoded<typeof swarmJoinRequest>): JoinSwarmRequest {
  const remoteAddrs = (docker.RemoteAddrs ?? []).filter((address) => address !== '');
  if (remoteAddrs.length === 0) throw badRequest('at least 1 RemoteAddr is required to join');
  if (!docker.JoinToken) throw badRequest('invalid join token: get one with "docker swarm join-token" on a manager');
  return {
    listenAddr: requiredListenAddr(docker.ListenAddr),
    advertiseAddr: docker.AdvertiseAddr ?? '',
    dataPathAddr: docker.DataPathAddr ?? '',
    remoteAddrs,
    joinToken: docker.JoinToken,
    availability: optionalAvailability(docker.Availability),
  };
}

function requiredListenAddr(address: string | undefined): string {
  if (!address) throw badRequest('invalid ListenAddr "": invalid empty address');
  return address;
}

function dataPathPort(port: number): number {
  if (port !== 0 && (port < MIN_DATA_PATH_PORT || port > MAX_DATA_PATH_PORT)) {
    throw badRequest(
      `invalid DataPathPort ${port}: data path port number must be between ${MIN_DATA_PATH_PORT} and ${MAX_DATA_PATH_PORT}`,
    );
  }
  return port;
}

function subnet(cidr: string): string {
  const [address = '', length = ''] = cidr.split('/');
  if (isIP(address) === 0 || !/^\d{1,3}$/.test(length) || Number(length) > (isIP(address) === 4 ? 32 : 128)) {
    throw badRequest(`invalid DefaultAddrPool "${cidr}": write subnets such as 10.20.0.0/16`);
  }
  return cidr;
}

function subnetSize(size: number): number {
  if (size > MAX_SUBNET_SIZE) throw badRequest(`invalid SubnetSize ${size}: use 1 to ${MAX_SUBNET_SIZE}`);
  return size;
}
