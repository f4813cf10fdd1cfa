/** A copy of sources in which bugs are planted, compiled and run, one after the other. */
import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { apply, type Edit } from './edit.ts';

/** What runs longer than this hangs, which is a finding too. */
const PATIENCE_MS = 330_000;
/** A simulator begins no further seed after this time, so that a busy machine does not look like a finding. */
const SIMULATION_SECONDS = 240;

export interface CopyOptions {
  /** The repository. */
  readonly root: string;
  /** Where the copy is made, below the repository, so that what runs in it finds its packages. */
  readonly folder: string;
  /** What is copied: from the repository, to a place in the copy. */
  readonly parts: readonly (readonly [from: string, to: string])[];
  /** A folder of the repository that is left out. */
  readonly without?: string;
  /** Of the copy's tsconfig.json, beside what all of the repository is compiled with. */
  readonly compile: {
    readonly compilerOptions: object;
    readonly include?: readonly string[];
    readonly files?: readonly string[];
  };
}

export interface Ran {
  readonly failed: boolean;
  readonly output: string;
}

export interface Simulated {
  /** Until something broke, or all that were simulated. */
  readonly events: number;
  /** That in which something broke. */
  readonly seed?: number | undefined;
  readonly failure?: string | undefined;
}

export class PatchedCopy {
  readonly folder: string;
  /** Where the repository's packages are. */
  readonly packages: string;

  constructor({ root, folder, parts, without, compile }: CopyOptions) {
    this.folder = join(root, folder);
    this.packages = join(root, 'node_modules');
    rmSync(this.folder, { recursive: true, force: true });
    mkdirSync(this.folder, { recursive: true });
    const filter = (path: string): boolean => without === undefined || path !== join(root, without);
    for (const [from, to] of parts) cpSync(join(root, from), join(this.folder, to), { recursive: true, filter });
    const config = { extends: join(root, 'tsconfig.base.json'), ...compile };
    writeFileSync(join(this.folder, 'tsconfig.json'), JSON.stringify(config));
  }

  /** Plants a bug, looks what becomes of it, and takes it out again. */
  with<Result>(edits: readonly Edit[], look: () => Result): Result {
    const before = new Map<string, string>();
    try {
      for (const edit of edits) {
        const path = join(this.folder, edit.file);
        const text = readFileSync(path, 'utf8');
        if (!before.has(path)) before.set(path, text);
        writeFileSync(path, apply(edit, text));
      }
      this.#compile();
      return look();
    } finally {
      for (const [path, text] of before) writeFileSync(path, text);
    }
  }

  /** Runs a program of the copy. */
  run(args: readonly string[], timeout = PATIENCE_MS): Ran {
    const { status, stdout, stderr } = spawnSync(process.execPath, args, {
      cwd: this.folder,
      encoding: 'utf8',
      timeout,
      maxBuffer: 64 * 1024 * 1024,
    });
    return { failed: status !== 0, output: stdout + stderr };
  }

  /** Runs a simulator of the copy until something breaks, and at most through these seeds, "1..20". */
  simulate(program: string, seeds: string, ...more: readonly string[]): Simulated {
    const limits = ['--seeds', seeds, '--seconds', String(SIMULATION_SECONDS)];
    const { failed, output } = this.run([program, '--json', ...limits, ...more]);
    const line = output.split('\n').find((each) => each.startsWith('{'));
    if (line !== undefined) return JSON.parse(line) as Simulated;
    const error = output.split('\n').find((each) => each.includes('Error'));
    return { events: 0, failure: failed ? `it ends abruptly or hangs: ${error ?? 'no error is told'}` : undefined };
  }

  /** Whether the seed in which something broke breaks something in the copy as it is now, too. */
  breaksAgain(program: string, { seed }: Simulated, ...more: readonly string[]): boolean {
    return seed !== undefined && this.simulate(program, `${seed}..${seed}`, ...more).failure !== undefined;
  }

  /** Types are not checked: a bug may leave an import unused. */
  #compile(): void {
    const compiler = join(this.packages, 'typescript', 'bin', 'tsc');
    const { failed, output } = this.run([compiler, '-p', this.folder, '--noCheck']);
    if (failed) throw new Error(`the mutation does not compile:\n${output}`);
  }
}
