/** `doctor`: looks for what is wrong with the swarm, the daemon and this machine, and says what to do. */
import type { Command } from 'commander';
import { errorText, SwarmError } from '../../../common/errors.ts';
import type { ApiClient } from '../../client.ts';
import { action, nameless } from '../../context.ts';
import { isForPeople, printValue } from '../../output.ts';
import { paint, type Terminal } from '../../terminal.ts';
import type { InfoObject, NodeObject, TaskObject } from '../../types.ts';
import {
  checkClock,
  checkMembership,
  checkNodeClocks,
  checkNodes,
  checkQuorum,
  checkVersion,
  type MembersObject,
} from './cluster-checks.ts';
import { fail, ok, skip, type Finding } from './finding.ts';
import { checkCgroups, checkDisk, checkPorts } from './machine-checks.ts';

type Info = InfoObject & {
  readonly SystemTime: string;
  readonly DockerRootDir: string;
  readonly DefaultRuntime: string;
};

export function doctorCommand(program: Command, terminal: Terminal): void {
  const command = program
    .command('doctor')
    .description('Look for what is wrong with the swarm, its daemon and this machine; 1 when something is');
  action(command, terminal, nameless(), async ({ client, output }) => {
    const findings = await examine(client);
    if (isForPeople(output)) show(terminal, findings);
    else printValue(terminal, findings, output);
    const failed = findings.filter(({ level }) => level === 'fail');
    if (failed.length > 0) {
      throw new SwarmError('failedPrecondition', `wrong: ${failed.map(({ check }) => check).join(', ')}`);
    }
  });
}

async function examine(client: ApiClient): Promise<readonly Finding[]> {
  const beforeMs = Date.now();
  let info: Info;
  try {
    info = await client.get<Info>('/info');
  } catch (error) {
    return [fail('daemon', errorText(error), 'start it, or correct --host; "swarmctl context show" tells which it is')];
  }
  const isLocal = client.host.startsWith('unix://') || client.host.startsWith('/');
  return [
    ok('daemon', `answers at ${client.host}`),
    checkVersion(info),
    checkMembership(info),
    checkClock(info.SystemTime, beforeMs, Date.now()),
    ...(info.Swarm.ControlAvailable ? await examineSwarm(client) : []),
    isLocal ? checkDisk(info.DockerRootDir) : skip('disk', 'the daemon is on another machine'),
    ...(info.DefaultRuntime === 'process'
      ? [isLocal ? checkCgroups() : skip('cgroups', 'the daemon is on another machine')]
      : []),
    ...(info.DefaultRuntime === 'docker' ? [await checkEngine(client)] : []),
  ];
}

/** What managers alone know; each part is told of by itself when it cannot be had. */
async function examineSwarm(client: ApiClient): Promise<readonly Finding[]> {
  const part = async (check: string, look: () => Promise<readonly Finding[]>): Promise<readonly Finding[]> => {
    try {
      return await look();
    } catch (error) {
      return [fail(check, errorText(error), 'see the log of the daemon')];
    }
  };
  const found = await Promise.all([
    part('quorum', async () => {
      const members = await client.get<MembersObject>('/swarmd/status');
      return [...checkQuorum(members), await checkPorts(members)];
    }),
    part('nodes', async () => {
      const nodes = await client.get<readonly NodeObject[]>('/nodes');
      return [...checkNodes(nodes), checkNodeClocks(nodes, await client.get<readonly TaskObject[]>('/tasks'))];
    }),
  ]);
  return found.flat();
}

async function checkEngine(client: ApiClient): Promise<Finding> {
  try {
    await client.get('/containers/json', { limit: 1 });
    return ok('engine', 'the Docker Engine answers');
  } catch (error) {
    return fail('engine', errorText(error), 'start the Docker Engine, or correct --engine of the daemon');
  }
}

const SIGNS = {
  ok: ['ok  ', 'green'],
  warn: ['warn', 'yellow'],
  fail: ['FAIL', 'red'],
  skip: ['skip', undefined],
} as const;

function show(terminal: Terminal, findings: readonly Finding[]): void {
  const width = Math.max(...findings.map(({ check }) => check.length));
  for (const { check, level, text, remedy } of findings) {
    const [sign, style] = SIGNS[level];
    terminal.out(`${terminal.hasColours ? paint(style, sign) : sign}  ${check.padEnd(width)}  ${text}\n`);
    if (remedy !== '') terminal.out(`${' '.repeat(width + 8)}→ ${remedy}\n`);
  }
}
