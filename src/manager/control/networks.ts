/** Networks as objects: created and removed here, given addresses by the allocator. */
import { SwarmError } from '../../common/errors.ts';
import { Network, type Service } from '../../proto/generated/docker/swarmkit/v1/objects.ts';
import { PortConfig_PublishMode, TaskState } from '../../proto/generated/docker/swarmkit/v1/types.ts';
import { networkHas, parseIpNetwork, type IpNetwork } from '../placement/ip-network.ts';
import { isNodeLocal } from '../placement/node-local-network.ts';
import type { Reader } from '../store/transaction.ts';
import type { ControlService } from './control.ts';
import type { ControlDependencies } from './dependencies.ts';
import { candidates, matchesCommon } from './filters.ts';
import { notFound } from './not-found.ts';
import { validateNetworkSpec } from './validation/network-spec.ts';
import { invalid, refused } from './validation/refusal.ts';

type NetworkCalls = Pick<ControlService, 'getNetwork' | 'listNetworks' | 'createNetwork' | 'removeNetwork'>;

export function networkCalls({ store, newId }: ControlDependencies): NetworkCalls {
  return {
    async getNetwork(request) {
      return { network: findNetwork(store.read, request) };
    },

    async listNetworks({ filters }) {
      const networks = candidates(filters, store.read.network).filter((network) =>
        matchesCommon(filters, {
          id: network.id,
          names: [network.spec?.annotations?.name ?? ''],
          labels: network.spec?.annotations?.labels,
        }),
      );
      return { networks };
    },

    async createNetwork({ spec, id }) {
      validateNetworkSpec(spec);
      const network = Network.fromPartial({ id: id || newId(), spec });
      await store.update((tx) => {
        if (tx.network.get(network.id)) return;
        const name = spec.annotations?.name ?? '';
        if (tx.network.byName(name)) throw new SwarmError('alreadyExists', `network with name ${name} already exists`);
        const ingress = spec.ingress ? tx.network.all().find((other) => other.spec?.ingress) : undefined;
        if (ingress) throw new SwarmError('alreadyExists', `ingress network (${ingress.id}) is already present`);
        refuseOverlap(tx, network);
        tx.network.create(network);
      });
      return { network: store.read.network.get(network.id) ?? network };
    },

    async removeNetwork(request) {
      await store.update((tx) => {
        const network = findNetwork(tx, request);
        refuseWhileUsed(tx, network);
        tx.network.delete(network.id);
      });
      return {};
    },
  };
}

function findNetwork(
  reader: Reader,
  { networkId, name }: { readonly networkId: string; readonly name: string },
): Network {
  if (networkId === '' && name === '') throw invalid('invalid argument: network id or name must be provided');
  const network = networkId === '' ? reader.network.byName(name) : reader.network.get(networkId);
  if (!network) throw notFound('network', networkId || name);
  return network;
}

/** A subnet asked for must be clear of those that other networks have or have asked for. */
function refuseOverlap(reader: Reader, network: Network): void {
  for (const wanted of subnetsOf(network)) {
    for (const other of reader.network.all()) {
      const overlaps = subnetsOf(other).some((s) => networkHas(s, wanted.address) || networkHas(wanted, s.address));
      if (!overlaps) continue;
      const name = other.spec?.annotations?.name ?? other.id;
      throw refused(
        `invalid pool request: Pool overlaps with other one on this address space: choose a subnet that is clear of network ${name}`,
      );
    }
  }
}

const subnetsOf = (network: Network): readonly IpNetwork[] =>
  ((network.ipam ?? network.spec?.ipam)?.configs ?? [])
    .map(({ subnet }) => parseIpNetwork(subnet))
    .filter((subnet) => subnet !== undefined);

function refuseWhileUsed(reader: Reader, network: Network): void {
  if (isNodeLocal(network)) {
    throw refused(`${network.spec?.annotations?.name} is a pre-defined network and cannot be removed`);
  }
  if (network.spec?.ingress) {
    const user = reader.service.all().find(publishesThroughIngress);
    if (user) throw refused(`ingress network cannot be removed because service ${user.id} depends on it`);
  }
  const service = reader.service.by('network', network.id)[0];
  if (service) throw refused(`network ${network.id} is in use by service ${service.id}`);
  const task = reader.task
    .by('network', network.id)
    .find((t) => t.desiredState <= TaskState.COMPLETE && (t.status?.state ?? TaskState.NEW) <= TaskState.RUNNING);
  if (task) throw refused(`network ${network.id} is in use by task ${task.id}`);
}

const publishesThroughIngress = (service: Service): boolean =>
  (service.spec?.endpoint?.ports ?? []).some((port) => port.publishMode === PortConfig_PublishMode.INGRESS);
