/**
 * The folder that holds everything a node must remember:
 *
 *   node.json       who this node is in which cluster, where it listens, which managers it knows (see {@link NodeRecord})
 *   certificates/   its certificate, key and the roots it trusts
 *   raft/           log and snapshots (managers)
 *   raft.damaged-1  a log that was damaged, set aside (see {@link LogRepair})
 *   keys.json       keys of that log, sealed while the cluster locks its managers
 *   worker/         the agent's task book
 *   tasks/          folders of the process runtime
 *   lock            pid of the daemon that uses the folder
 *   unfinished      only while a swarm is founded or forgotten: what lies here then is worth nothing after a crash
 */
import { mkdir, readdir, rename, rm } from 'node:fs/promises';
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { errorText, SwarmError } from '../common/errors.ts';
import { readIfThere, writeFileAtomic } from '../common/files.ts';

/** Format of node.json; a daemon refuses a newer one. */
const FORMAT = 1;
const UNFINISHED_FILE = 'unfinished';
const SET_ASIDE = '.damaged-';

export interface KnownManager {
  readonly nodeId: string;
  readonly address: string;
}

/** What happened to the log of this manager: it was damaged, and the manager joined the others anew. */
export interface LogRepair {
  /** RFC 3339. */
  readonly at: string;
  readonly reason: string;
  /** How often this happened on this node. */
  readonly count: number;
}

export interface NodeRecord {
  readonly clusterId: string;
  readonly nodeId: string;
  /** Where the managers' RPC listens while this node is a manager, "host:port". */
  readonly listenAddr: string;
  /** Where others reach this node, "host:port". */
  readonly advertiseAddr: string;
  /** Raft id while this node is in the consensus group. */
  readonly raftId?: string | undefined;
  /** Managers known last. */
  readonly managers: readonly KnownManager[];
  /** The last time the log had to be given up. */
  readonly repair?: LogRepair | undefined;
}

export class StateFolder {
  readonly path: string;

  private constructor(path: string) {
    this.path = path;
  }

  get certificates(): string {
    return join(this.path, 'certificates');
  }

  get raft(): string {
    return join(this.path, 'raft');
  }

  get keys(): string {
    return join(this.path, 'keys.json');
  }

  get worker(): string {
    return join(this.path, 'worker');
  }

  get tasks(): string {
    return join(this.path, 'tasks');
  }

  /** Opens the folder for this process alone. Throws failedPrecondition naming the pid when another daemon uses it. */
  static async open(path: string): Promise<StateFolder> {
    try {
      await makeFolder(path);
      lock(join(path, 'lock'), path);
    } catch (error) {
      if (error instanceof SwarmError) throw error;
      throw new SwarmError(
        'permissionDenied',
        `the state folder "${path}" cannot be used: ${errorText(error)}; choose one that this user may write to with --data-dir`,
        { cause: error },
      );
    }
    const folder = new StateFolder(path);
    if (existsSync(folder.#unfinished)) await folder.forgetSwarm();
    return folder;
  }

  get #unfinished(): string {
    return join(this.path, UNFINISHED_FILE);
  }

  /** Has a crash before {@link finishFounding} forget what was made till then. */
  async beginFounding(): Promise<void> {
    await writeFileAtomic(this.#unfinished, '');
  }

  async finishFounding(): Promise<void> {
    await rm(this.#unfinished, { force: true });
  }

  /**
   * Refuses to begin anew over what is left of a member. Throws dataLoss naming the file that is missing.
   * @param has whether record and certificates are there
   */
  refuseRemnant(has: { readonly record: boolean; readonly identity: boolean }): void {
    const missing = !has.identity && has.record ? this.certificates : !has.record ? join(this.path, 'node.json') : '';
    // A join that was cut short leaves certificates only, and is simply done again.
    if (missing === '' || (!has.record && !existsSync(this.raft))) return;
    throw new SwarmError(
      'dataLoss',
      `${missing} is missing, or a part of it, though ${this.path} belongs to a member of a swarm: restore it, or empty the folder and join again`,
    );
  }

  /** undefined while the node is in no swarm. Throws dataLoss when the file cannot be understood. */
  async readRecord(): Promise<NodeRecord | undefined> {
    const file = join(this.path, 'node.json');
    const text = await readIfThere(file);
    if (text === undefined) return undefined;
    try {
      const { format, ...record } = JSON.parse(text) as NodeRecord & { format: number };
      if (format > FORMAT)
        throw new Error(`it was written by a newer swarmd (format ${format}, this one knows ${FORMAT})`);
      if (!record.clusterId || !record.nodeId) throw new Error('clusterId or nodeId is missing');
      return record;
    } catch (error) {
      throw new SwarmError('dataLoss', `${file} cannot be used: ${errorText(error)}`, { cause: error });
    }
  }

  async writeRecord(record: NodeRecord): Promise<void> {
    await writeFileAtomic(join(this.path, 'node.json'), `${JSON.stringify({ format: FORMAT, ...record }, null, 2)}\n`);
  }

  /** Keeps a log that must not be used any more under another name, which is returned; undefined when there is none. */
  async setAsideLog(): Promise<string | undefined> {
    if (!existsSync(this.raft)) return undefined;
    let number = 1;
    while (existsSync(`${this.raft}${SET_ASIDE}${number}`)) number++;
    const path = `${this.raft}${SET_ASIDE}${number}`;
    await rename(this.raft, path);
    return path;
  }

  /** Forgets that this node was a manager: its log and keys. */
  async forgetManager(): Promise<void> {
    const damaged = (await readdir(this.path)).filter((name) => name.startsWith(`raft${SET_ASIDE}`));
    for (const name of ['raft', ...damaged]) await rm(join(this.path, name), { recursive: true, force: true });
    await rm(this.keys, { force: true });
  }

  /** Forgets the swarm; what tasks left behind is the agent's to remove first. */
  async forgetSwarm(): Promise<void> {
    await writeFileAtomic(this.#unfinished, '');
    await this.forgetManager();
    for (const part of ['node.json', 'certificates', 'worker'])
      await rm(join(this.path, part), { recursive: true, force: true });
    await rm(this.#unfinished, { force: true });
  }

  /** Lets another daemon use the folder. */
  release(): void {
    rmSync(join(this.path, 'lock'), { force: true });
  }
}

/** As mkdir -p; Node's own never ends where the system takes no folders, as below /proc. */
async function makeFolder(path: string): Promise<void> {
  if (existsSync(path)) return;
  if (!existsSync(dirname(path))) await makeFolder(dirname(path));
  await mkdir(path, { mode: 0o700 });
}

function lock(file: string, folder: string): void {
  for (let attempt = 0; attempt < 2; attempt++) {
    try {
      writeFileSync(file, `${process.pid} ${startOf(process.pid)}`, { flag: 'wx', mode: 0o600 });
      return;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    }
    const [pid = '', start = ''] = readText(file).split(' ');
    // A pid alone may have been given to another process since; with its start time it has not.
    if (pid !== '' && start !== '' && startOf(Number(pid)) === start && Number(pid) !== process.pid) {
      throw new SwarmError(
        'failedPrecondition',
        `the state folder ${folder} is in use by the daemon with pid ${pid}: stop it, or choose another folder with --data-dir`,
      );
    }
    rmSync(file, { force: true });
  }
}

const readText = (file: string): string => {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return '';
  }
};

/** Start time of a process in clock ticks since boot (proc(5), field 22); empty when there is no such process. */
const startOf = (pid: number): string => readText(`/proc/${pid}/stat`).split(') ').at(-1)?.split(' ')[19] ?? '';
