/** A manager as the API sees it. */
import type { Swarm, SwarmStatus } from '../api/ports.ts';
import type { Manager } from '../manager/manager.ts';
import { explainService } from '../manager/scheduler/explain.ts';
import { SwarmError } from '../common/errors.ts';
import { newId } from '../common/ids.ts';
import { silentLogger } from '../common/log.ts';
import { systemRandom } from '../common/random.ts';
import { rehearse } from '../manager/rehearsal/rehearse.ts';
import { encodeSnapshot, stateHash } from '../manager/store/snapshot.ts';

export function swarmView(manager: Manager): Swarm {
  const { store } = manager;
  return {
    control: manager.control,
    store,
    readBarrier: (signal) => manager.readBarrier(signal),
    subscribeLogs: (request, signal) => manager.subscribeLogs(request, signal),
    taskUsage: (signal) => manager.readUsage(signal),
    explainService: async (serviceId, signal) => {
      await manager.readBarrier(signal);
      const service = store.read.service.get(serviceId);
      if (!service) throw new SwarmError('notFound', `service ${serviceId} not found`);
      return explainService(store.read, service);
    },
    planService: async (change, signal) => {
      await manager.readBarrier(signal);
      const stage = { state: store.capture(), nowMs: Date.now(), random: systemRandom, newId, log: silentLogger };
      return rehearse(stage, change, signal);
    },
    status: () => ({
      clusterId: store.read.cluster.all()[0]?.id ?? '',
      nodeId: manager.nodeId,
      leaderId: manager.leader?.nodeId ?? '',
      isLeader: manager.isLeader,
      term: manager.consensus.term,
      commitIndex: manager.consensus.commitIndex,
      appliedIndex: store.version,
      logCheck: logCheckOf(manager),
      stateHash: () => stateHash(store.capture()),
      members: manager.members.map((member) => ({
        nodeId: member.nodeId,
        raftId: member.raftId,
        addr: member.address,
        isLeader: member.raftId === manager.leader?.raftId,
        isReachable: manager.isReachable(member.raftId),
        version: store.read.node.get(member.nodeId)?.description?.engine?.engineVersion ?? '',
      })),
    }),
    backup: () => {
      const state = store.capture();
      return {
        head: {
          clusterId: store.read.cluster.all()[0]?.id ?? '',
          nodeId: manager.nodeId,
          address: manager.address,
          index: state.version,
          term: manager.consensus.term,
        },
        pieces: encodeSnapshot(state, manager.consensus.members.toSnapshot()),
      };
    },
  };
}

function logCheckOf(manager: Manager): SwarmStatus['logCheck'] {
  const { last } = manager.consensus.logCheck;
  return last && { at: new Date(last.checkedAtMs).toISOString(), tookMs: last.tookMs, damage: last.damage };
}
