import { describe, expect, it, onTestFinished } from 'vitest';
import { MemoryLog } from '../../src/log/memory-log.ts';
import { LostLeader } from '../../src/node/lost-leader.ts';
import { NO_PEER } from '../../src/types.ts';
import { Cluster } from './cluster.ts';

const BOOTSTRAP = ['1', '2', '3'].map((id) => ({ id }));
const ELECTION_TICKS = 500;

/** Three members that would wait long for an election timeout. */
async function threeMembers(): Promise<Cluster> {
  const cluster = new Cluster(() => Promise.resolve());
  onTestFinished(() => cluster.stop());
  for (const { id } of BOOTSTRAP)
    await cluster.start(id, new MemoryLog(), {
      bootstrap: BOOTSTRAP,
      electionTicks: ELECTION_TICKS,
      heartbeatTicks: 1,
      random: () => Number(id) / 4,
    });
  return cluster;
}

const othersOf = (id: string): readonly string[] => ['1', '2', '3'].filter((other) => other !== id);

describe('a broken connection to the leader', () => {
  it('leads to an election at once when the leader is gone', async () => {
    const cluster = await threeMembers();
    const { id } = await cluster.leader();
    await cluster.converge();
    cluster.crash(id);
    for (const other of othersOf(id)) cluster.get(other).node.reportDisconnected(id);
    const isLed = (): boolean => othersOf(id).some((other) => cluster.get(other).node.isLeader);
    await cluster.until('a new leader', isLed, ELECTION_TICKS / 4);
  });

  it('does not depose a leader that the others still hear from', async () => {
    const cluster = await threeMembers();
    const { id, node } = await cluster.leader();
    await cluster.converge();
    const term = node.status()?.hardState.term;
    const [one] = othersOf(id);
    cluster.get(one as string).node.reportDisconnected(id);
    let ticks = 0;
    await cluster.until('some time has passed', () => ++ticks > 30);
    expect(node.isLeader).toBe(true);
    expect(node.status()?.hardState.term).toBe(term);
    expect(cluster.get(one as string).node.leader).toBe(id);
  });

  it('to another follower changes nothing', async () => {
    const cluster = await threeMembers();
    const { id } = await cluster.leader();
    await cluster.converge();
    const [one, two] = othersOf(id) as [string, string];
    cluster.get(one).node.reportDisconnected(two);
    await new Promise((resolve) => setImmediate(resolve));
    expect(cluster.get(one).node.leader).toBe(id);
  });
});

describe('the voters that lost their leader', () => {
  /** Ticks at which it is a voter's turn, one after the other. */
  const turnsOf = (own: string, voters: readonly string[] = ['3', '1', '2']): readonly number[] => {
    const lost = new LostLeader();
    lost.lost('1', own, voters);
    return Array.from({ length: 200 }, (_, i) => i + 1).filter(() => lost.tick(NO_PEER));
  };

  it('take turns, and those that do not vote have none', () => {
    expect(turnsOf('2')[0]).toBeLessThan((turnsOf('3')[0] as number) - 1);
    expect(turnsOf('4')).toEqual([]);
  });

  it('take turns again when nobody was elected, further and further apart', () => {
    const voters = ['1', '2', '3', '4', '5'];
    const all = ['2', '3', '4', '5'].flatMap((own) => turnsOf(own, voters)).sort((a, b) => a - b);
    const gaps = all.slice(1).map((tick, i) => tick - (all[i] as number));
    expect(gaps.slice(0, 12)).toEqual([2, 2, 2, 2, 4, 4, 4, 4, 8, 8, 8, 8]);
  });

  it('stop waiting when there is a leader', () => {
    const lost = new LostLeader();
    lost.lost('1', '3', ['1', '2', '3']);
    expect(lost.tick('2')).toBe(false);
    for (let i = 0; i < 20; i++) expect(lost.tick(NO_PEER)).toBe(false);
  });
});
