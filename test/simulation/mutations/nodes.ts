/** Planted bugs of those who deal with nodes: dispatcher, certificate authority, membership, the leader. */
import { edit } from '../../../src/raft/test/planting/edit.ts';
import { often, swarmMutation, type SwarmMutation } from './swarm-mutation.ts';

const CA = 'src/manager/ca/certificate-authority.ts';
const ROTATION = 'src/manager/ca/root-rotation.ts';
const MEMBERSHIP = 'src/manager/members/membership-service.ts';
const COMES = 'node comes while the root is replaced';
const HANDED = 'managers change while leadership is handed over';

export const NODE_MUTATIONS: readonly SwarmMutation[] = [
  swarmMutation(
    'dispatcher: a late report takes a task back',
    edit(
      'src/manager/dispatcher/task-status.ts',
      'if (current && report.status.state < current.state) return undefined;',
      '',
    ),
  ),
  swarmMutation(
    'dispatcher: secrets stay on a node when their task has ended',
    edit(
      'src/manager/dispatcher/assignment-set.ts',
      'needsDependencies(task) ? taskDependencies(task) : []',
      'taskDependencies(task)',
    ),
  ),
  swarmMutation(
    'dispatcher: tasks that are deleted stay with their agent',
    edit(
      'src/manager/dispatcher/assignment-set.ts',
      "changes.push(removal({ $case: 'task', value: Task.fromPartial({ id }) }));",
      '',
    ),
  ),
  swarmMutation(
    'control: a change of what is stale is accepted',
    edit('src/manager/control/versions.ts', 'if (madeFor.index === current) return;', 'return;'),
  ),
  swarmMutation(
    'control: the certificate of a removed node is still good',
    edit(
      'src/manager/control/node-removal.ts',
      'if (cluster) tx.cluster.update(withBlacklisted(cluster, node, clock.now()));',
      '',
    ),
  ),
  swarmMutation(
    'authority: the token of workers makes managers',
    edit(
      CA,
      "if (tokens && isSameToken(token, tokens.worker)) return 'worker';",
      "if (tokens && isSameToken(token, tokens.worker)) return 'manager';",
    ),
  ),
  swarmMutation(
    'authority: a certificate says what the old one said',
    edit(
      CA,
      "const role = known.role === NodeRole.MANAGER ? 'manager' : 'worker';",
      "const role = caller.role === 'manager' ? 'manager' : 'worker';",
    ),
  ),
  swarmMutation(
    'authority: what changed while a certificate was being made is not looked at',
    edit(CA, 'if (node.role !== known.role || !signingRoot(clusterOf(tx)).equals(root)) return false;', ''),
  ),
  often(
    COMES,
    swarmMutation(
      'authority: who is admitted while the root begins to be replaced gets a certificate of the old one',
      edit(CA, 'if (!signingRoot(cluster).equals(root)) return false;', ''),
    ),
  ),
  swarmMutation(
    'authority: certificates without the twin of the new root',
    edit('src/manager/ca/signer.ts', 'intermediates: text(rotation.crossSignedCaCert),', ''),
  ),
  swarmMutation(
    'root rotation: ends before all nodes have a new certificate',
    edit(
      ROTATION,
      '!hasOldCertificate(pki, node, newRoot) &&\n      !usesOldCertificate(pki, node, newRoot) &&\n      ',
      '',
    ),
  ),
  often(
    COMES,
    swarmMutation(
      'root rotation: ends before who was admitted has come, and may know the old root only',
      edit(ROTATION, 'hasRegistered(node) &&\n      ', ''),
    ),
  ),
  often(
    COMES,
    swarmMutation(
      'root rotation: waits for ever for who was admitted and never came',
      edit(ROTATION, '(this.#missedSince.get(id) ?? now) >= NEVER_SEEN_MS', '(this.#missedSince.get(id) ?? now) < 0'),
    ),
  ),
  often(
    `${COMES},managers change,manager crashes`,
    swarmMutation(
      'root rotation: a manager counts as come before its agent has',
      edit(ROTATION, 'hasRegistered(node) &&\n      ', 'wasSeen(node) &&\n      '),
    ),
  ),
  swarmMutation(
    'root rotation: nodes are told of the new root only when it has taken over',
    edit('src/manager/store/trusted-roots.ts', 'root?.rootRotation?.caCert ?? Buffer.alloc(0)', 'Buffer.alloc(0)'),
  ),
  swarmMutation(
    'root rotation: the tokens of the old root stay',
    edit(ROTATION, 'joinTokens: { worker: pki.newJoinToken(bundle), manager: pki.newJoinToken(bundle) },', ''),
  ),
  often(
    HANDED,
    swarmMutation(
      'members: a request that is passed on twice is taken for that of the manager between',
      edit(
        MEMBERSHIP,
        'passed.set(FORWARDED_NODE, callerNode(context));',
        'passed.set(FORWARDED_NODE, context.caller.nodeId);',
      ),
    ),
  ),
  often(
    'log is damaged',
    swarmMutation(
      'members: a manager that lost its log keeps its old place beside the new one',
      edit(MEMBERSHIP, 'if (known && known.raftId !== raftId) await ports.remove(known.raftId);', ''),
    ),
  ),
  often(
    'log is damaged,managers change',
    swarmMutation(
      'members: one is taken out though too few would remain',
      edit(
        'src/manager/members/group.ts',
        'return remaining.filter(isReachable).length >= Math.floor(remaining.length / 2) + 1;',
        'return remaining.some(isReachable);',
      ),
    ),
  ),
  swarmMutation(
    'members: one that is demoted stays in the group',
    edit('src/manager/members/role-reconciler.ts', 'await group.removeMember(member.raftId);', ''),
  ),
  swarmMutation(
    'leader: its loops go on when it leads no more',
    edit('src/manager/leader-loops.ts', '    this.#abort?.abort();\n    this.#abort = undefined;', ''),
  ),
  swarmMutation(
    'store: what was given up at an election is still built upon',
    edit(
      'src/manager/store/store.ts',
      'this.#proposals = [];\n    for (const kind of KIND_NAMES) this.#layers[kind].clear();',
      'this.#proposals = [];',
    ),
  ),
  swarmMutation(
    'store: a snapshot leaves what has been deleted',
    edit(
      'src/manager/store/store.ts',
      "if (!wanted.has(id)) push(changes, applyChange(table, 'delete', kind, { id } as StoreObject));",
      '',
    ),
  ),
];
