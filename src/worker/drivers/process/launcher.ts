/** Builds the command line around a task's command (session, user, limits, host name) and starts it under a shim. */
import { spawn, type ChildProcess } from 'node:child_process';
import { accessSync, closeSync, constants, openSync, readFileSync, statSync } from 'node:fs';
import path from 'node:path';
import type { Readable } from 'node:stream';
import { SwarmError } from '../../../common/errors.ts';
import type { LaunchPlan } from './launch-plan.ts';
import { rawFile } from './output-collector.ts';
import { SHIM_SCRIPT } from './shim.ts';
import { resolveUser, type ProcessUser } from './users.ts';

/** Programs of util-linux or busybox the driver builds on; undefined where the machine lacks one. */
export interface HostTools {
  readonly setsid: string | undefined;
  readonly setpriv: string | undefined;
  readonly prlimit: string | undefined;
  readonly unshare: string | undefined;
}

const DEFAULT_PATH = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';

export const findHostTools = (): HostTools => {
  const find = (name: string): string | undefined => findExecutable(name, process.env['PATH'] ?? DEFAULT_PATH, '/');
  return { setsid: find('setsid'), setpriv: find('setpriv'), prlimit: find('prlimit'), unshare: find('unshare') };
};

/** Who the task runs as; undefined to stay who the agent is. Throws invalidArgument when that cannot be done here. */
export function userOf(plan: LaunchPlan): ProcessUser | undefined {
  if (plan.user === '' && plan.groups.length === 0) return undefined;
  const own = process.getuid?.() ?? 0;
  const user = resolveUser(plan.user || String(own), plan.groups, readText('/etc/passwd'), readText('/etc/group'));
  if (own === 0) return user;
  if (user.uid === own && plan.groups.length === 0) return undefined;
  throw new SwarmError(
    'invalidArgument',
    `user "${plan.user}" cannot be used: the agent runs as uid ${own}, only an agent that runs as root can run tasks as somebody else`,
  );
}

/** The whole environment of a task. */
export function environmentOf(
  plan: LaunchPlan,
  user: ProcessUser | undefined,
  privateDir: string,
): Record<string, string> {
  const inherited = ['PATH', 'LANG', 'LC_ALL', 'TZ'].flatMap((name) => {
    const value = process.env[name];
    return value === undefined ? [] : [[name, value] as const];
  });
  const home = user ? user.home : (process.env['HOME'] ?? '/');
  return {
    PATH: DEFAULT_PATH,
    ...Object.fromEntries(inherited),
    HOME: home,
    ...(user?.name ? { USER: user.name } : {}),
    SWARMD_SECRETS_DIR: path.join(privateDir, 'secrets'),
    SWARMD_CONFIGS_DIR: path.join(privateDir, 'configs'),
    ...plan.env,
  };
}

/** The command with what has to happen around it, each part replacing itself by the next. */
export function commandLine(
  command: readonly string[],
  plan: Pick<LaunchPlan, 'hostname' | 'ulimits'>,
  user: ProcessUser | undefined,
  tools: HostTools,
): readonly string[] {
  const line: string[] = [need(tools.setsid, 'setsid', 'to run anything')];
  if (plan.hostname !== '' && tools.unshare && process.getuid?.() === 0) {
    line.push(tools.unshare, '--uts', '/bin/sh', '-c', SET_HOSTNAME, 'sh', plan.hostname);
  }
  if (plan.ulimits.length > 0) {
    line.push(need(tools.prlimit, 'prlimit', 'for ulimits'));
    const bound = (n: number): string => (n < 0 ? 'unlimited' : String(n));
    for (const { name, soft, hard } of plan.ulimits) line.push(`--${name}=${bound(soft)}:${bound(hard)}`);
  }
  return [...line, ...probeLine(command, user, tools)];
}

/** The command as the task's user. Health commands need no more: they run in a session of their own already. */
export function probeLine(
  command: readonly string[],
  user: ProcessUser | undefined,
  tools: HostTools,
): readonly string[] {
  if (!user) return command;
  const groups = user.groups.length > 0 ? `--groups=${user.groups.join(',')}` : '--clear-groups';
  const setpriv = need(tools.setpriv, 'setpriv', 'to run a task as another user');
  return [setpriv, `--reuid=${user.uid}`, `--regid=${user.gid}`, groups, '--', ...command];
}

/** Only the new UTS namespace gets the name; a task does not fail for want of it. */
const SET_HOSTNAME = 'echo "$1" > /proc/sys/kernel/hostname; shift; exec "$@"';

function need(tool: string | undefined, name: string, why: string): string {
  if (tool !== undefined) return tool;
  throw new SwarmError(
    'failedPrecondition',
    `the process driver needs ${name} ${why}: install util-linux on this node`,
  );
}

export interface ShimLaunch {
  readonly line: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  readonly cwd: string;
  /** Where the shim keeps its files. */
  readonly runDir: string;
  /** Where the output goes; undefined to throw it away. */
  readonly outputDir: string | undefined;
  readonly joinFiles: readonly string[];
}

/** Starts a shim; resolves once it said that the process is there, or has ended. */
export async function startShim(launch: ShimLaunch): Promise<ChildProcess> {
  const output = (stream: 'stdout' | 'stderr'): number =>
    openSync(launch.outputDir === undefined ? '/dev/null' : rawFile(launch.outputDir, stream), 'a', 0o600);
  const stdout = output('stdout');
  const stderr = output('stderr');
  try {
    const args = ['-c', SHIM_SCRIPT, 'swarmd-task', launch.runDir, launch.joinFiles.join(' '), ...launch.line];
    const shim = spawn('/bin/sh', args, {
      cwd: launch.cwd,
      env: launch.env,
      detached: true,
      stdio: ['ignore', stdout, stderr, 'pipe'],
    });
    const word = shim.stdio[3] as Readable;
    await new Promise<void>((resolve, reject) => {
      shim.once('error', reject);
      word.once('end', resolve);
      word.resume();
    });
    shim.unref();
    return shim;
  } finally {
    closeSync(stdout);
    closeSync(stderr);
  }
}

/** Full path of a program as the task would find it; undefined when there is none that can be executed. */
export function findExecutable(name: string, searchPath: string, cwd: string): string | undefined {
  const candidates = name.includes('/')
    ? [path.resolve(cwd, name)]
    : searchPath.split(':').map((dir) => path.resolve(cwd, dir, name));
  return candidates.find(isExecutable);
}

function isExecutable(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return statSync(file).isFile();
  } catch {
    return false;
  }
}

const readText = (file: string): string => {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return '';
  }
};
