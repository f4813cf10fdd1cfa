/** Plants bug after bug, sees whether each is found, and writes a page about it. Long: it can be done in slices, of which each goes on from the last. */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import type { Edit } from './edit.ts';
import type { PatchedCopy } from './patched-copy.ts';

interface Planted {
  readonly name: string;
  readonly edits: readonly Edit[];
}

interface Named {
  readonly name: string;
}

export interface Campaign<Mutation extends Planted, Finding extends Named> {
  /** As people call it. */
  readonly command: string;
  /** In what bugs are planted, and what is done then. */
  readonly purpose: string;
  readonly mutations: readonly Mutation[];
  readonly openCopy: (root: string) => PatchedCopy;
  /** Called while the bug is planted. */
  readonly examine: (copy: PatchedCopy, mutation: Mutation) => Finding;
  /** What those who are to find these bugs find without one. */
  readonly examineSound: (copy: PatchedCopy, mutations: readonly Mutation[]) => readonly Finding[];
  readonly isFound: (finding: Finding) => boolean;
  /** Whether what was found breaks without the bug as well; called while none is planted. */
  readonly breaksAnyway: (copy: PatchedCopy, finding: Finding) => boolean;
  /** What was found, in a few words. */
  readonly describe: (finding: Finding) => string;
  /** Below docs. */
  readonly page: string;
  readonly write: (findings: readonly Finding[]) => string;
}

/** The program; returns its exit code, which is 1 if a bug survives. */
export function run<Mutation extends Planted, Finding extends Named>(campaign: Campaign<Mutation, Finding>): number {
  const { values } = parseArgs({
    options: {
      only: { type: 'string' },
      seconds: { type: 'string' },
      list: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) console.log(help(campaign));
  else if (values.list) for (const { name } of campaign.mutations) console.log(name);
  else return plantAll(campaign, values);
  return 0;
}

function help({ command, purpose, page }: Pick<Campaign<Planted, Named>, 'command' | 'purpose' | 'page'>): string {
  return `${purpose}

  ${command.padEnd(34)} all of them
    --only TEXT                      those with this in their name; what is known of the others is kept
    --seconds N                      begin no further one after this time; the next call goes on from there
    --list                           print their names

When all are known, docs/${page} is written.`;
}

function plantAll<Mutation extends Planted, Finding extends Named>(
  {
    mutations,
    openCopy,
    examine,
    examineSound,
    isFound,
    breaksAnyway,
    describe,
    page,
    write,
  }: Campaign<Mutation, Finding>,
  { only, seconds }: { readonly only?: string | undefined; readonly seconds?: string | undefined },
): number {
  const root = resolve('.');
  const deadline = performance.now() + Number(seconds ?? Infinity) * 1000;
  const copy = openCopy(root);
  const found = new Findings<Finding>(`${copy.folder}.json`, mutations);
  const goesOn = only !== undefined || (seconds !== undefined && !found.isComplete);
  if (!goesOn) found.forget();
  const isWanted = (mutation: Mutation): boolean =>
    only === undefined ? !found.has(mutation) : mutation.name.includes(only);
  const wanted = mutations.filter(isWanted);
  // Who fails anyway finds nothing.
  const alarm = copy.with([], () => examineSound(copy, wanted)).find(isFound);
  if (alarm) throw new Error(`without any bug planted, ${alarm.name}: ${describe(alarm)}`);
  const fresh: Finding[] = [];
  for (const mutation of wanted) {
    if (performance.now() > deadline) break;
    const finding = copy.with(mutation.edits, () => examine(copy, mutation));
    found.keep(finding);
    fresh.push(finding);
    console.log(`${isFound(finding) ? 'found' : 'SURVIVES'}: ${mutation.name}: ${describe(finding)}`);
  }
  const doubtful = copy.with([], () => fresh.filter(isFound).find((finding) => breaksAnyway(copy, finding)));
  if (doubtful) throw new Error(`without this bug, the same seed breaks: ${doubtful.name}: ${describe(doubtful)}`);
  const survivors = found.all.filter((finding) => !isFound(finding));
  console.log(`${found.all.length} of ${mutations.length} planted, ${survivors.length} survived`);
  if (found.isComplete) writeFileSync(join(root, 'docs', page), write(found.all));
  return survivors.length === 0 ? 0 : 1;
}

/** What is known of the mutations so far, kept in a file. */
class Findings<Finding extends Named> {
  readonly #path: string;
  readonly #mutations: readonly Named[];
  readonly #byName: Map<string, Finding>;

  constructor(path: string, mutations: readonly Named[]) {
    this.#path = path;
    this.#mutations = mutations;
    const kept = existsSync(path) ? (JSON.parse(readFileSync(path, 'utf8')) as readonly Finding[]) : [];
    this.#byName = new Map(kept.map((finding) => [finding.name, finding]));
  }

  /** In the order of the mutations. */
  get all(): readonly Finding[] {
    return this.#mutations.flatMap(({ name }) => this.#byName.get(name) ?? []);
  }

  get isComplete(): boolean {
    return this.all.length === this.#mutations.length;
  }

  has({ name }: Named): boolean {
    return this.#byName.has(name);
  }

  keep(finding: Finding): void {
    this.#byName.set(finding.name, finding);
    writeFileSync(this.#path, JSON.stringify(this.all));
  }

  forget(): void {
    this.#byName.clear();
  }
}
