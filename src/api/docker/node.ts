/** Nodes: as `GET /nodes` shows them and as people change them. */
import {
  NodeRole,
  NodeStatus_State as NodeState,
  RaftMemberStatus_Reachability as Reachability,
  type NodeDescription,
  type NodeTLSInfo,
  type PluginDescription,
} from '../../proto/generated/docker/swarmkit/v1/types.ts';
import {
  NodeSpec_Availability as Availability,
  NodeSpec_Membership as Membership,
  type NodeSpec,
} from '../../proto/generated/docker/swarmkit/v1/specs.ts';
import type { Node } from '../../proto/generated/docker/swarmkit/v1/objects.ts';
import { badRequest } from '../http-error.ts';
import { struct, text, type Decoded } from '../json/decoder.ts';
import {
  annotationFields,
  annotationsToDocker,
  annotationsToProto,
  platformToDocker,
  resourcesToDocker,
} from './common.ts';
import { enumWords, metaToDocker, nonEmpty } from './values.ts';

export const roles = enumWords<NodeRole>(NodeRole);
export const memberships = enumWords<Membership>(Membership);
export const nodeStates = enumWords<NodeState>(NodeState);
export const reachabilities = enumWords<Reachability>(Reachability);
export const availabilities = enumWords<Availability>(Availability);

export const nodeSpec = struct('swarm.NodeSpec', { ...annotationFields, Role: text, Availability: text });

/** Role and availability must both be said, in letters of any size. Membership is not the client's to choose. */
export function nodeSpecToProto(docker: Decoded<typeof nodeSpec>): NodeSpec {
  const desiredRole = roles.find(docker.Role?.toLowerCase());
  if (desiredRole === undefined) throw badRequest(`invalid Role: "${docker.Role ?? ''}"`);
  return {
    annotations: annotationsToProto(docker),
    desiredRole,
    membership: Membership.ACCEPTED,
    availability: requiredAvailability(docker.Availability),
  };
}

function requiredAvailability(word: string | undefined): Availability {
  const availability = availabilities.find(word?.toLowerCase());
  if (availability === undefined) throw badRequest(`invalid Availability: "${word ?? ''}"`);
  return availability;
}

/** Availability a node joins with; absent or empty means active. */
export const optionalAvailability = (word: string | undefined): Availability =>
  availabilities.parse(word?.toLowerCase(), Availability.ACTIVE, (bad) => `invalid Availability: "${bad}"`);

export function nodeToDocker(node: Node): object {
  const manager = node.managerStatus;
  return {
    ID: node.id,
    ...metaToDocker(node.meta),
    Spec: {
      ...annotationsToDocker(node.spec?.annotations),
      Role: roles.word(node.spec?.desiredRole ?? NodeRole.WORKER),
      Availability: availabilities.word(node.spec?.availability ?? Availability.ACTIVE),
    },
    Description: node.description ? descriptionToDocker(node.description) : emptyDescription,
    Status: {
      State: nodeStates.word(node.status?.state ?? NodeState.UNKNOWN),
      Message: nonEmpty(node.status?.message || node.waitsFor),
      Addr: nonEmpty(node.status?.addr),
    },
    ManagerStatus: manager && {
      Leader: nonEmpty(manager.leader),
      Reachability: reachabilities.word(manager.reachability),
      Addr: nonEmpty(manager.addr),
    },
  };
}

const emptyDescription = { Platform: {}, Resources: {}, Engine: {}, TLSInfo: {} };

const descriptionToDocker = (description: NodeDescription): object => ({
  Hostname: nonEmpty(description.hostname),
  Platform: description.platform ? platformToDocker(description.platform) : {},
  Resources: description.resources ? resourcesToDocker(description.resources) : {},
  Engine: {
    EngineVersion: nonEmpty(description.engine?.engineVersion),
    Labels: nonEmpty(description.engine?.labels),
    Plugins: nonEmpty(
      (description.engine?.plugins ?? [])
        .filter(isToldToClients)
        .toSorted(byTypeAndName)
        .map((plugin) => ({ Type: nonEmpty(plugin.type), Name: nonEmpty(plugin.name) })),
    ),
  },
  TLSInfo: description.tlsInfo ? tlsInfoToDocker(description.tlsInfo) : {},
  CSIInfo: nonEmpty(
    description.csiInfo.map((csi) => ({
      PluginName: nonEmpty(csi.pluginName),
      NodeID: nonEmpty(csi.nodeId),
      MaxVolumesPerNode: nonEmpty(csi.maxVolumesPerNode),
      AccessibleTopology: csi.accessibleTopology && { Segments: nonEmpty(csi.accessibleTopology.segments) },
    })),
  ),
});

/** That a node runs containers goes without saying among Docker's clients; only our scheduler is told. */
const isToldToClients = ({ type, name }: PluginDescription): boolean => type !== 'Runtime' || name !== 'docker';

/** As engines tell of theirs. */
const byTypeAndName = (a: PluginDescription, b: PluginDescription): number =>
  `${a.type} ${a.name}` < `${b.type} ${b.name}` ? -1 : 1;

const tlsInfoToDocker = (info: NodeTLSInfo): object => ({
  TrustRoot: nonEmpty(Buffer.from(info.trustRoot).toString()),
  CertIssuerSubject: nonEmpty(Buffer.from(info.certIssuerSubject).toString('base64')),
  CertIssuerPublicKey: nonEmpty(Buffer.from(info.certIssuerPublicKey).toString('base64')),
});
