/** A copy of the managers' code and of the simulation, in which bugs are planted, one after the other. */
import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { apply, type Edit } from '../../../src/raft/test/mutations/mutation.ts';

/** No further seed is begun after this time. */
const SIMULATION_SECONDS = 100;
/** A simulation that takes longer than this hangs, which is a finding too. */
const PATIENCE_MS = 200_000;

export interface Simulated {
  readonly events: number;
  /** What broke; undefined when nothing did. */
  readonly failure?: string | undefined;
}

export class PatchedSwarm {
  readonly #root: string;
  readonly #folder: string;

  /** @param root the repository; the copy lies inside it, so that it finds its packages */
  constructor(root: string) {
    this.#root = root;
    this.#folder = join(root, 'dist-test', 'swarm-mutations');
    rmSync(this.#folder, { recursive: true, force: true });
    mkdirSync(join(this.#folder, 'out'), { recursive: true });
    const isOurs = (path: string): boolean => path !== join(root, 'src', 'raft');
    cpSync(join(root, 'src'), join(this.#folder, 'src'), { recursive: true, filter: isOurs });
    cpSync(join(root, 'test', 'simulation'), join(this.#folder, 'test', 'simulation'), { recursive: true });
    for (const place of ['', 'out']) cpSync(join(root, 'package.json'), join(this.#folder, place, 'package.json'));
    const compilerOptions = { rootDir: '.', outDir: 'out', declaration: false, sourceMap: false };
    const files = ['test/simulation/main.ts'];
    const config = { extends: join(root, 'tsconfig.base.json'), compilerOptions, files };
    writeFileSync(join(this.#folder, 'tsconfig.json'), JSON.stringify(config));
  }

  /** Plants a bug, simulates until something breaks, and takes it out again. */
  simulate(edits: readonly Edit[], seeds: string): Simulated {
    const before = new Map<string, string>();
    try {
      for (const edit of edits) {
        const path = join(this.#folder, edit.file);
        const text = readFileSync(path, 'utf8');
        if (!before.has(path)) before.set(path, text);
        writeFileSync(path, apply(edit, text));
      }
      this.#compile();
      return this.#run(seeds);
    } finally {
      for (const [path, text] of before) writeFileSync(path, text);
    }
  }

  /** Types are not checked: a bug may leave an import unused. */
  #compile(): void {
    const tsc = join(this.#root, 'node_modules', 'typescript', 'bin', 'tsc');
    const { status, stdout } = spawnSync(process.execPath, [tsc, '-p', this.#folder, '--noCheck'], {
      encoding: 'utf8',
    });
    if (status !== 0) throw new Error(`the mutation does not compile:\n${stdout}`);
  }

  #run(seeds: string): Simulated {
    const program = join(this.#folder, 'out', 'test', 'simulation', 'main.js');
    const args = [program, '--json', '--seeds', seeds, '--seconds', String(SIMULATION_SECONDS)];
    const { status, stdout } = spawnSync(process.execPath, args, { encoding: 'utf8', timeout: PATIENCE_MS });
    const line = stdout.split('\n').find((each) => each.startsWith('{'));
    if (line !== undefined) return JSON.parse(line) as Simulated;
    return { events: 0, failure: status === 0 ? undefined : 'it ends abruptly or hangs' };
  }
}
