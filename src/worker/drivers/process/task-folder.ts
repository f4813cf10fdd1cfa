/** Where the process driver keeps what belongs to one task, and the note that lets a later agent stop it without its spec. */
import { existsSync, readFileSync } from 'node:fs';
import { mkdir, rename, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';

/** Enough to stop and remove a task nobody knows any more. */
export interface LaunchNote {
  readonly stopSignal: NodeJS.Signals;
  readonly stopGraceMs: number;
}

export class TaskFolder {
  readonly dir: string;

  constructor(root: string, taskId: string) {
    this.dir = path.join(root, taskId);
  }

  /** The shim's files. */
  get runDir(): string {
    return path.join(this.dir, 'run');
  }

  /** Raw output and logs. */
  get outputDir(): string {
    return path.join(this.dir, 'output');
  }

  /** Where the process starts unless its spec says otherwise. */
  get workDir(): string {
    return path.join(this.dir, 'work');
  }

  get isPrepared(): boolean {
    return existsSync(this.#notePath);
  }

  async make(note: LaunchNote): Promise<void> {
    await mkdir(this.dir, { recursive: true, mode: 0o711 });
    await mkdir(this.runDir, { recursive: true, mode: 0o700 });
    await mkdir(this.outputDir, { recursive: true, mode: 0o700 });
    await mkdir(this.workDir, { recursive: true, mode: 0o755 });
    // Written last and at once: it says that the rest is there.
    await writeFile(`${this.#notePath}.new`, JSON.stringify(note));
    await rename(`${this.#notePath}.new`, this.#notePath);
  }

  /** undefined before prepare. */
  note(): LaunchNote | undefined {
    try {
      return JSON.parse(readFileSync(this.#notePath, 'utf8')) as LaunchNote;
    } catch {
      return undefined;
    }
  }

  async remove(): Promise<void> {
    await rm(this.dir, { recursive: true, force: true, maxRetries: 3 });
  }

  get #notePath(): string {
    return path.join(this.dir, 'launch.json');
  }
}
