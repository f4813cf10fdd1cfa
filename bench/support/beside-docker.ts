/** One manager of ours and a real Docker Swarm of one manager on the same file system, measured in turns in the same run. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { TestCluster } from '../../test/support/cluster.ts';
import { DockerEngine } from '../../test/support/docker-engine.ts';
import { missingForDocker } from './needs.ts';
import type { Figure } from './report.ts';
import { median } from './statistics.ts';

export interface Server {
  readonly name: 'swarmd' | 'Docker Swarm';
  readonly socket: string;
  readonly pid: number;
}

export interface Rivals {
  readonly ours: Server;
  /** Undefined where no Docker Engine can be started. */
  readonly theirs: Server | undefined;
  /** Why there is no Docker Swarm. */
  readonly missing: string | undefined;
}

/** @param isAlone do without Docker */
export async function withRivals<T>(isAlone: boolean, body: (rivals: Rivals) => Promise<T>): Promise<T> {
  const missing = isAlone ? 'it was told to do without' : missingForDocker();
  const docker = missing === undefined ? await DockerEngine.start({ isSwarm: true }) : undefined;
  try {
    const cluster = await TestCluster.start({ managers: 1, workers: 0, managerRuntime: 'none' });
    try {
      const { socket, pid } = cluster.first;
      return await body({
        ours: { name: 'swarmd', socket, pid },
        theirs: docker && { name: 'Docker Swarm', socket: docker.socket, pid: pidOf(docker) },
        missing,
      });
    } finally {
      await cluster.close();
    }
  } finally {
    await docker?.close();
  }
}

const pidOf = (docker: DockerEngine): number => Number(readFileSync(join(docker.directory, 'docker.pid'), 'utf8'));

/** Measures both in turns; whoever goes first meets a quieter machine, so they change places every round. */
export async function inTurns(
  { ours, theirs }: Rivals,
  rounds: number,
  measure: (server: Server) => Promise<number>,
): Promise<{ readonly ours: readonly number[]; readonly theirs: readonly number[] }> {
  const values = { ours: [] as number[], theirs: [] as number[] };
  const us = async (): Promise<void> => void values.ours.push(await measure(ours));
  const them = async (): Promise<void> => void (theirs && values.theirs.push(await measure(theirs)));
  for (let round = 0; round < rounds; round++) {
    if (round % 2 === 0) await us().then(them);
    else await them().then(us);
  }
  return values;
}

/** Both rates and the median of the rounds' ratios, which must reach `limit`. */
export function ratioFigures(
  what: string,
  unit: string,
  { ours, theirs }: { readonly ours: readonly number[]; readonly theirs: readonly number[] },
  limit: number,
): Figure[] {
  const own: Figure = { what: `${what}: swarmd`, value: median(ours), unit };
  if (theirs.length === 0) return [own];
  const ratios = ours.map((value, i) => value / (theirs[i] as number));
  return [
    own,
    { what: `${what}: Docker Swarm`, value: median(theirs), unit },
    {
      what: `${what}: swarmd to Docker, median of ${ratios.length} rounds`,
      value: median(ratios),
      unit: '×',
      limit,
      isLowerBound: true,
    },
  ];
}

let series = 0;

/** Requests that create configs of 512 bytes, each with a name of its own. */
export function configCreates(): { readonly path: string; readonly body: (n: number) => string } {
  const prefix = `bench-${process.pid}-${series++}`;
  const data = Buffer.alloc(512, 'swarm').toString('base64');
  return { path: '/v1.41/configs/create', body: (n) => `{"Name":"${prefix}-${n}","Labels":{},"Data":"${data}"}` };
}
