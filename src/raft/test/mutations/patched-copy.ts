/** A copy of the package in which bugs are planted, compiled and tested, one after the other. */
import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { apply } from './mutation.ts';
import type { Edit } from './mutation.ts';

/** A detector that takes longer than this hangs, which is a finding too. */
const PATIENCE_MS = 180_000;
/** The simulator begins no further seed after this time, so that a busy machine does not look like a finding. */
const SIMULATION_SECONDS = 120;
const CONFORMANCE_PATIENCE_MS = 30_000;

export interface Ran {
  readonly failed: boolean;
  readonly output: string;
}

export class PatchedCopy {
  readonly #root: string;
  readonly #folder: string;

  /** @param root The repository. The copy lies inside it, so that tests find their packages. */
  constructor(root: string) {
    this.#root = root;
    this.#folder = join(root, 'dist-test', 'mutations', 'raft');
    rmSync(this.#folder, { recursive: true, force: true });
    mkdirSync(this.#folder, { recursive: true });
    for (const part of ['src', 'test', 'package.json']) {
      cpSync(join(root, 'src', 'raft', part), join(this.#folder, part), { recursive: true });
    }
    const base = JSON.parse(readFileSync(join(root, 'src', 'raft', 'tsconfig.json'), 'utf8')) as { extends: string };
    base.extends = join(root, 'tsconfig.base.json');
    writeFileSync(join(this.#folder, 'tsconfig.json'), JSON.stringify(base));
    writeFileSync(join(this.#folder, 'vitest.config.js'), 'export default {};');
  }

  /** Plants a bug, runs, and takes it out again. */
  with<Result>(edits: readonly Edit[], run: () => Result): Result {
    const before = new Map<string, string>();
    try {
      for (const edit of edits) {
        const path = join(this.#folder, edit.file);
        const text = readFileSync(path, 'utf8');
        if (!before.has(path)) before.set(path, text);
        writeFileSync(path, apply(edit, text));
      }
      this.#compile();
      return run();
    } finally {
      for (const [path, text] of before) writeFileSync(path, text);
    }
  }

  /** Runs the data files; they take a second, unless a script never comes to rest. */
  conformance(): Ran {
    const program = join(this.#folder, 'dist', 'testing', 'conformance', 'main.js');
    return this.#run([program, 'test/data'], CONFORMANCE_PATIENCE_MS);
  }

  simulation(args: readonly string[]): Ran {
    const program = join(this.#folder, 'dist', 'testing', 'simulation', 'main.js');
    return this.#run([program, '--seconds', String(SIMULATION_SECONDS), ...args]);
  }

  /** Runs one of the package's test files up to its first failure. */
  test(file: string): Ran {
    const vitest = join(this.#root, 'node_modules', 'vitest', 'vitest.mjs');
    const args = ['run', '--root', this.#folder, '--bail', '1', '--reporter', 'json', '--testTimeout', '60000'];
    return this.#run([vitest, ...args, join('test', file)]);
  }

  /** Types are not checked: a bug may leave an import unused. */
  #compile(): void {
    const tsc = join(this.#root, 'node_modules', 'typescript', 'bin', 'tsc');
    const { failed, output } = this.#run([tsc, '-p', this.#folder, '--noCheck']);
    if (failed) throw new Error(`the mutation does not compile:\n${output}`);
  }

  #run(args: readonly string[], timeout = PATIENCE_MS): Ran {
    const { status, stdout, stderr } = spawnSync(process.execPath, args, {
      cwd: this.#folder,
      encoding: 'utf8',
      timeout,
      maxBuffer: 64 * 1024 * 1024,
    });
    return { failed: status !== 0, output: stdout + stderr };
  }
}
