/** Finds the numbers behind a task's user and groups in /etc/passwd and /etc/group. Pure: the files' texts are arguments. */
import { SwarmError } from '../../../common/errors.ts';

export interface ProcessUser {
  readonly uid: number;
  readonly gid: number;
  /** Supplementary groups. */
  readonly groups: readonly number[];
  /** Empty when the number has no entry. */
  readonly name: string;
  readonly home: string;
}

/**
 * Resolves "user", "uid", "user:group" or "uid:gid", plus further groups by name or number.
 * Throws invalidArgument naming a user or group that does not exist.
 */
export function resolveUser(
  user: string,
  groups: readonly string[],
  passwdText: string,
  groupText: string,
): ProcessUser {
  const passwd = rows(passwdText);
  const groupRows = rows(groupText);
  const [userPart = '', groupPart] = user.split(':', 2);
  const entry = passwd.find(([name, , uid]) => name === userPart || uid === userPart);
  const uid = entry ? Number(entry[2]) : numberOf(userPart);
  if (uid === undefined) throw new SwarmError('invalidArgument', `user "${userPart}" does not exist on this node`);
  const groupId = (text: string): number => {
    const row = groupRows.find(([name, , gid]) => name === text || gid === text);
    const gid = row ? Number(row[2]) : numberOf(text);
    if (gid === undefined) throw new SwarmError('invalidArgument', `group "${text}" does not exist on this node`);
    return gid;
  };
  const name = entry?.[0] ?? '';
  const gid = groupPart ? groupId(groupPart) : Number(entry?.[3] ?? 0);
  // Like a login: a user named without a group brings all groups it is a member of.
  const memberships = groupPart
    ? []
    : groupRows.filter((row) => (row[3] ?? '').split(',').includes(name) && name !== '').map((row) => Number(row[2]));
  const all = new Set([...memberships, ...groups.map(groupId)]);
  all.delete(gid);
  return { uid, gid, groups: [...all].sort((a, b) => a - b), name, home: entry?.[5] ?? '/' };
}

const rows = (text: string): readonly (readonly string[])[] =>
  text
    .split('\n')
    .filter((line) => line !== '' && !line.startsWith('#'))
    .map((line) => line.split(':'));

const numberOf = (text: string): number | undefined => (/^\d+$/.test(text) ? Number(text) : undefined);
