/** Runs every bench, each in a process of its own, and writes the page. Exit code 1 when one failed or missed a limit. */
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { BENCHES } from './support/benches.ts';

const run = (name: string): boolean => {
  const file = fileURLToPath(new URL(`./${name}.js`, import.meta.url));
  return spawnSync(process.execPath, ['--expose-gc', file], { stdio: 'inherit' }).status === 0;
};

const failed = BENCHES.filter((name) => !run(name));
run('page');
if (failed.length > 0) {
  console.error(`failed or missed a limit: ${failed.join(', ')}`);
  process.exitCode = 1;
}
