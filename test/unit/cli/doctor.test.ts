import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  checkClock,
  checkNodeClocks,
  checkNodes,
  checkQuorum,
} from '../../../src/cli/commands/doctor/cluster-checks.ts';
import type { NodeObject, TaskObject } from '../../../src/cli/types.ts';
import { cliRig, swarmctl } from '../../support/cli.ts';

let rig: Awaited<ReturnType<typeof cliRig>>;
beforeAll(async () => {
  rig = await cliRig();
});
afterAll(() => rig.close());

const members = (reachable: readonly boolean[], leaderId = 'n0') => ({
  leaderId,
  members: reachable.map((isReachable, i) => ({
    nodeId: `n${i}`,
    addr: `10.0.0.${i}:2377`,
    isLeader: i === 0 && leaderId !== '',
    isReachable,
  })),
});
const levels = (state: Parameters<typeof checkQuorum>[0]): string =>
  checkQuorum(state)
    .map(({ check, level }) => `${check} ${level}`)
    .join(', ');

describe('the doctor', () => {
  it.each([
    [[true, true, true], 'n0', 'quorum ok, managers ok'],
    [[true, true, false], 'n0', 'quorum fail, managers ok'],
    [[true, true, true, true, false], 'n0', 'quorum warn, managers ok'],
    [[true, true], 'n0', 'quorum ok, managers warn'],
    [[true, true, true, true], 'n0', 'quorum ok, managers warn'],
    [[false, true, false], '', 'quorum fail'],
  ])('judges managers %j with leader "%s": %s', (reachable, leader, found) => {
    expect(levels(members(reachable, leader))).toBe(found);
  });

  it('tells of nodes that are down and of several versions', () => {
    const node = (id: string, state: string, version: string): NodeObject =>
      ({
        ID: id,
        Status: { State: state },
        Description: { Hostname: id, Engine: { EngineVersion: version } },
      }) as NodeObject;
    const [nodes, versions] = checkNodes([node('a', 'ready', '1'), node('b', 'down', '2')]);
    expect(nodes).toMatchObject({ level: 'warn', text: 'b is down' });
    expect(versions).toMatchObject({ level: 'warn', text: 'the nodes run 1, 2' });
  });

  it('tells of clocks that differ', () => {
    const at = Date.parse('2026-01-01T00:00:00Z');
    expect(checkClock('2026-01-01T00:00:01Z', at, at).level).toBe('ok');
    expect(checkClock('2026-01-01T00:00:09Z', at, at).text).toContain('9.0 s ahead');
    const task = (UpdatedAt: string): TaskObject =>
      ({ NodeID: 'a', UpdatedAt, Status: { State: 'running', Timestamp: '2026-01-01T00:00:10Z' } }) as TaskObject;
    const node = { ID: 'a', Description: { Hostname: 'a' } } as NodeObject;
    expect(checkNodeClocks([node], [task('2026-01-01T00:00:11Z')]).level).toBe('ok');
    expect(checkNodeClocks([node], [task('2026-01-01T00:00:01Z')]).text).toContain('a 9.0 s ahead');
  });

  it('looks at a real daemon and ends with 1 when something is wrong', async () => {
    const { stdout, code, stderr } = await rig.run('doctor');
    expect(stdout).toContain(`ok    daemon`);
    expect(stdout).toContain('this node is a manager of the swarm');
    expect(stdout).toMatch(/skip {2}disk +cannot look at|ok {4}disk|warn {2}disk/);
    expect([code, stderr.includes('wrong:')]).toEqual(stdout.includes('FAIL') ? [1, true] : [0, false]);
    const gone = await swarmctl(['--host', 'unix:///nowhere.sock', 'doctor', '--output', 'json']);
    expect(gone.code).toBe(1);
    expect(JSON.parse(gone.stdout)).toMatchObject([{ check: 'daemon', level: 'fail' }]);
    rig.setNode({ state: 'locked' }, false);
    expect((await rig.run('doctor')).stdout).toContain('unlock it with "swarmctl swarm unlock"');
    rig.setNode({}, true);
  });
});
