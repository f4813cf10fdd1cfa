/**
 * A scenario: a short shell script of docker CLI commands whose output is compared. The first lines may say `# title:`,
 * `# tags:`, `# nodes:` (ready nodes it needs, 1) and `# timeout:` (seconds, 120).
 */
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';

const DEFAULT_TIMEOUT_SECONDS = 120;

export interface Scenario {
  /** File name without its ending. */
  readonly name: string;
  readonly file: string;
  readonly title: string;
  readonly nodes: number;
  readonly timeoutMs: number;
}

/** Those in `folder/scenarios` whose name matches `only` and not `skip`, by name. */
export async function readScenarios(folder: string, only: RegExp, skip?: RegExp): Promise<readonly Scenario[]> {
  const directory = join(folder, 'scenarios');
  const names = (await readdir(directory))
    .filter((file) => file.endsWith('.sh'))
    .map((file) => file.slice(0, -'.sh'.length))
    .filter((name) => only.test(name) && !skip?.test(name))
    .toSorted();
  return Promise.all(names.map((name) => readScenario(name, join(directory, `${name}.sh`))));
}

async function readScenario(name: string, file: string): Promise<Scenario> {
  const text = await readFile(file, 'utf8');
  const header = (key: string): string | undefined => new RegExp(`^# ${key}: (.*)$`, 'm').exec(text)?.[1];
  return {
    name,
    file,
    title: header('title') ?? '',
    nodes: Number(header('nodes') ?? 1),
    timeoutMs: Number(header('timeout') ?? DEFAULT_TIMEOUT_SECONDS) * 1000,
  };
}
