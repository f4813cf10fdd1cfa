/** Looks at the machine of a daemon that is reached over a unix socket, and at the ports of the managers. */
import { accessSync, constants, readFileSync, statfsSync } from 'node:fs';
import { connect } from 'node:net';
import { errorText } from '../../../common/errors.ts';
import { bytesText } from '../../quantities.ts';
import type { MembersObject } from './cluster-checks.ts';
import { fail, ok, skip, warn, type Finding } from './finding.ts';

const LOW_BYTES = 1024 ** 3;
const FULL_BYTES = 64 * 1024 ** 2;
const LOW_SHARE = 0.05;

export function checkDisk(folder: string): Finding {
  try {
    const { bavail, blocks, bsize } = statfsSync(folder);
    const free = bavail * bsize;
    const text = `${bytesText(free)} free below ${folder}`;
    if (free < FULL_BYTES) return fail('disk', text, 'make room: a manager with a full disk takes no changes');
    if (free < LOW_BYTES || bavail < blocks * LOW_SHARE) return warn('disk', text, 'make room before it is full');
    return ok('disk', text);
  } catch (error) {
    return skip('disk', `cannot look at ${folder}: ${errorText(error)}`);
  }
}

const CONTROLLERS = ['cpu', 'memory', 'pids'];

/** Limits of tasks want cgroups that the daemon may write. */
export function checkCgroups(root = '/sys/fs/cgroup'): Finding {
  let found: readonly string[];
  try {
    found = readFileSync(`${root}/cgroup.controllers`, 'utf8').trim().split(' ');
  } catch {
    found = CONTROLLERS.filter((name) => exists(`${root}/${name}`));
  }
  const missing = CONTROLLERS.filter((name) => !found.includes(name));
  if (missing.length > 0) {
    return warn(
      'cgroups',
      `no controller for ${missing.join(', ')}`,
      'mount cgroups; limits of tasks have no effect without',
    );
  }
  if (!exists(root, constants.W_OK)) {
    return warn('cgroups', 'may not be written here', 'run the daemon as root, or with Delegate=yes under systemd');
  }
  return ok('cgroups', `controllers for ${CONTROLLERS.join(', ')}`);
}

function exists(path: string, mode = constants.F_OK): boolean {
  try {
    accessSync(path, mode);
    return true;
  } catch {
    return false;
  }
}

const CONNECT_MS = 2_000;

/** Whether the managers' ports can be reached from here. */
export async function checkPorts({ members }: MembersObject): Promise<Finding> {
  const closed = await Promise.all(members.map(async ({ addr }) => ((await isOpen(addr)) ? [] : [addr])));
  const names = closed.flat();
  if (names.length === 0) return ok('ports', `the ports of ${members.length} managers can be reached from here`);
  return warn('ports', `cannot be reached from here: ${names.join(', ')}`, 'open these TCP ports between the nodes');
}

function isOpen(address: string): Promise<boolean> {
  const at = address.lastIndexOf(':');
  const host = address.slice(0, at).replace(/^\[|\]$/g, '');
  return new Promise((resolve) => {
    const socket = connect({ host, port: Number(address.slice(at + 1)) });
    const end = (isReached: boolean) => (): void => {
      socket.destroy();
      resolve(isReached);
    };
    socket.setTimeout(CONNECT_MS, end(false));
    socket.once('connect', end(true));
    socket.once('error', end(false));
  });
}
