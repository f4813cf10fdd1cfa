/**
 * Secrets and configs as files only their task's user can reach: in memory (tmpfs) where this agent may mount one, else in
 * a 0700 folder. The mount is made when the first file needs it and goes with the last one.
 */
import { execFile } from 'node:child_process';
import { chmod, chown, mkdir, readdir, rm, rmdir, statfs, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { promisify } from 'node:util';
import { SwarmError } from '../../common/errors.ts';
import type { Task } from '../../proto/generated/docker/swarmkit/v1/objects.ts';
import type { FileTarget, NodeDescription } from '../../proto/generated/docker/swarmkit/v1/types.ts';
import { declaredEnvironment } from '../task-environment.ts';
import { templateContext } from '../../common/task-naming.ts';
import { expandTemplate, type TemplateFunctions } from '../../common/service-template.ts';
import type { TaskDependencies } from './driver.ts';
import { containerSpec } from './process/launch-plan.ts';

const run = promisify(execFile);
const TMPFS_MAGIC = 0x01021994;
/** What relative targets are below, as in Docker. */
const CONTAINER_FOLDERS = { secrets: '/run/secrets', configs: '/' } as const;

export interface PrivateFile {
  /** Below the task's folder: `secrets/<name>` or `configs/<path>`. */
  readonly relativePath: string;
  /** Where a container sees it: secrets without a path of their own are together in a folder. */
  readonly containerPath: string;
  readonly uid: number;
  readonly gid: number;
  readonly mode: number;
  readonly data: Uint8Array;
}

/** The files a task asks for. Throws invalidArgument naming a secret or config that is not there. */
export function privateFilesOf(
  task: Task,
  dependencies: TaskDependencies,
  node: NodeDescription,
): readonly PrivateFile[] {
  const spec = containerSpec(task);
  const { secrets, configs } = dependencies;
  const context = templateContext(task, node);
  const secretNamed = (name: string): Uint8Array =>
    dataOf(secrets, spec.secrets.find((reference) => targetName(reference) === name)?.secretId, 'secret', name);
  const configNamed = (name: string): Uint8Array =>
    dataOf(configs, spec.configs.find((reference) => targetName(reference) === name)?.configId, 'config', name);
  const env = declaredEnvironment(spec.env, context);
  const functions: TemplateFunctions = {
    secret: (name) => text(secretNamed(name)),
    config: (name) => text(configNamed(name)),
    env: (name) => env[name] ?? '',
  };
  const expanded = (data: Uint8Array, driver: string | undefined): Uint8Array =>
    driver === 'golang' ? Buffer.from(expandTemplate(text(data), context, functions)) : data;
  const secretFiles = spec.secrets.flatMap((reference) => {
    if (reference.target?.$case !== 'file') return [];
    const data = dataOf(secrets, reference.secretId, 'secret', reference.secretName);
    const driver = secrets.get(reference.secretId)?.spec?.templating?.name;
    return [fileOf('secrets', reference.target.value, expanded(data, driver))];
  });
  const configFiles = spec.configs.flatMap((reference) => {
    if (reference.target?.$case !== 'file') return [];
    const data = dataOf(configs, reference.configId, 'config', reference.configName);
    const driver = configs.get(reference.configId)?.spec?.templating?.name;
    return [fileOf('configs', reference.target.value, expanded(data, driver))];
  });
  return [...secretFiles, ...configFiles];
}

/** Whether the task asks for any file. */
export const wantsPrivateFiles = (task: Task): boolean => {
  const { secrets, configs } = containerSpec(task);
  return [...secrets, ...configs].some((reference) => reference.target?.$case === 'file');
};

const text = (data: Uint8Array): string => Buffer.from(data).toString('utf8');

const targetName = (reference: {
  readonly target?: { readonly $case: string; readonly value: unknown } | undefined;
}): string => (reference.target?.$case === 'file' ? (reference.target.value as FileTarget).name : '');

function dataOf(
  from: ReadonlyMap<string, { readonly spec?: { readonly data: Uint8Array } | undefined }>,
  id: string | undefined,
  kind: string,
  name: string,
): Uint8Array {
  const data = id === undefined ? undefined : from.get(id)?.spec?.data;
  if (!data) throw new SwarmError('invalidArgument', `${kind} "${name}" was not given to this node for the task`);
  return data;
}

function fileOf(folder: keyof typeof CONTAINER_FOLDERS, target: FileTarget, data: Uint8Array): PrivateFile {
  // An absolute path, as configs have, and ".." both stay below the folder.
  const inside = path.normalize(`/${target.name}`);
  return {
    relativePath: path.join(folder, inside),
    containerPath: path.resolve(CONTAINER_FOLDERS[folder], target.name),
    uid: Number(target.uid) || 0,
    gid: Number(target.gid) || 0,
    mode: target.mode & 0o777 || 0o444,
    data,
  };
}

export interface PrivateFilesOptions {
  /** Folder for all tasks of this driver. */
  readonly root: string;
}

export class PrivateFiles {
  readonly #root: string;
  /** Mounting and unmounting never overlap. */
  #queue: Promise<unknown> = Promise.resolve();

  constructor(options: PrivateFilesOptions) {
    this.#root = options.root;
  }

  dirOf(taskId: string): string {
    return path.join(this.#root, taskId);
  }

  /** Writes the files of a task for a user to read; replaces what is there. */
  async write(
    taskId: string,
    files: readonly PrivateFile[],
    owner: { readonly uid: number; readonly gid: number },
  ): Promise<void> {
    if (files.length === 0) return;
    await this.#inTurn(async () => {
      await this.#mount();
      const dir = this.dirOf(taskId);
      await rm(dir, { recursive: true, force: true });
      await mkdir(dir, { mode: 0o700 });
      for (const file of files) await this.#writeOne(dir, file, owner);
      await giveTo(dir, owner.uid, owner.gid);
    });
  }

  async remove(taskId: string): Promise<void> {
    await this.#inTurn(async () => {
      await rm(this.dirOf(taskId), { recursive: true, force: true });
      await this.#unmountIfEmpty();
    });
  }

  async #writeOne(
    dir: string,
    file: PrivateFile,
    owner: { readonly uid: number; readonly gid: number },
  ): Promise<void> {
    const target = path.join(dir, file.relativePath);
    const folder = path.dirname(target);
    // Folders on the way belong to the task's user and nobody else gets in.
    let made = dir;
    for (const part of path.relative(dir, folder).split(path.sep)) {
      made = path.join(made, part);
      await mkdir(made, { recursive: true, mode: 0o700 });
      await giveTo(made, owner.uid, owner.gid);
    }
    await writeFile(target, file.data, { mode: 0o600 });
    await giveTo(target, file.uid, file.gid);
    await chmod(target, file.mode);
  }

  async #mount(): Promise<void> {
    await mkdir(this.#root, { recursive: true, mode: 0o711 });
    if (await isInMemory(this.#root)) return;
    if (process.getuid?.() !== 0) return;
    // Where mounting is not allowed the folder itself has to do.
    await run('mount', ['-t', 'tmpfs', '-o', 'size=256m,mode=0711,nosuid,nodev,noexec', 'swarmd', this.#root]).catch(
      () => undefined,
    );
  }

  async #unmountIfEmpty(): Promise<void> {
    const names = await readdir(this.#root).catch(() => undefined);
    if (!names || names.length > 0) return;
    if (process.getuid?.() === 0) await run('umount', [this.#root]).catch(() => undefined);
    await rmdir(this.#root).catch(() => undefined);
  }

  #inTurn<T>(action: () => Promise<T>): Promise<T> {
    const result = this.#queue.then(action);
    this.#queue = result.catch(() => undefined);
    return result;
  }
}

const isInMemory = async (dir: string): Promise<boolean> => (await statfs(dir)).type === TMPFS_MAGIC;

/** Only root can give files away; anybody else owns them already. */
async function giveTo(target: string, uid: number, gid: number): Promise<void> {
  if (process.getuid?.() === 0) await chown(target, uid, gid);
}
