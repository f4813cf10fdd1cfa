/** The cluster a scenario is played on, seen through the docker CLI alone, and how it is tidied up between scenarios. */
import { execFile, type ExecFileOptions } from 'node:child_process';
import type { OwnNames } from './normalise.ts';

const COMMAND_TIMEOUT_MS = 30_000;
const PAUSE_MS = 250;
const CLEANING_ROUNDS = 60;

export interface NodeUnderTest {
  readonly id: string;
  readonly hostname: string;
}

export class ClusterUnderTest {
  readonly environment: NodeJS.ProcessEnv;
  /** The node under test, which is the daemon's own, then the others. */
  readonly nodes: readonly NodeUnderTest[];

  private constructor(environment: NodeJS.ProcessEnv, nodes: readonly NodeUnderTest[]) {
    this.environment = environment;
    this.nodes = nodes;
  }

  /** @param configDirectory an empty folder for the client. Throws when no node of the cluster is ready. */
  static async at(host: string, configDirectory: string): Promise<ClusterUnderTest> {
    const environment = {
      PATH: process.env['PATH'],
      HOME: configDirectory,
      DOCKER_CONFIG: configDirectory,
      DOCKER_HOST: host,
      DOCKER_CLI_HINTS: 'false',
      LC_ALL: 'C',
      TZ: 'UTC',
    };
    const format = '{{.Self}} {{.Status}} {{.ID}} {{.Hostname}}';
    const rows = rowsOf(await docker(environment, 'node', 'ls', '--format', format));
    const ready = rows.filter(([, status]) => status === 'Ready');
    const nodes = [...ready.filter(([self]) => self === 'true'), ...ready.filter(([self]) => self !== 'true')].map(
      ([, , id = '', hostname = '']) => ({ id, hostname }),
    );
    if (nodes.length === 0) throw new Error(`no node is ready at ${host}`);
    return new ClusterUnderTest(environment, nodes);
  }

  get own(): OwnNames {
    const hosts = this.nodes.map(({ hostname }, i) => [hostname, i === 0 ? '<HOST>' : `<HOST${i + 1}>`] as const);
    return { nodeId: this.nodes[0]?.id ?? '', hosts: new Map(hosts) };
  }

  /** Removes everything called x-…, makes all nodes active and takes node labels x.… away. */
  async clean(): Promise<void> {
    await this.#remove('service');
    await this.#removeContainers();
    for (const kind of ['secret', 'config'] as const) await this.#remove(kind);
    await this.#untilNone(() => this.#remove('network'));
    const volumes = rowsOf(await this.#docker('volume', 'ls', '--format', '{{.Name}}')).flat();
    for (const volume of volumes.filter(isScenarios)) await this.#docker('volume', 'rm', '-f', volume);
    for (const { id } of this.nodes) await this.#resetNode(id);
  }

  /** Says how many there were. */
  async #remove(kind: string): Promise<number> {
    const rows = rowsOf(await this.#docker(kind, 'ls', '--format', '{{.ID}} {{.Name}}'));
    const ids = rows.filter(([, name]) => isScenarios(name)).map(([id = '']) => id);
    if (ids.length > 0) await this.#docker(kind, 'rm', ...ids);
    return ids.length;
  }

  /** Nobody waits for grace periods. */
  async #removeContainers(): Promise<void> {
    await this.#untilNone(async () => {
      const format = '{{.ID}} {{.Names}}';
      const rows = rowsOf(await this.#docker('ps', '-a', '--format', format));
      const ids = rows.filter(([, name]) => isScenarios(name)).map(([id = '']) => id);
      if (ids.length > 0) await this.#docker('rm', '-f', ...ids);
      return ids.length;
    });
  }

  async #untilNone(remove: () => Promise<number>): Promise<void> {
    for (let round = 0; round < CLEANING_ROUNDS; round++) {
      if ((await remove()) === 0) return;
      await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
    }
  }

  async #resetNode(id: string): Promise<void> {
    const format = '{{.Spec.Availability}} {{range $key, $_ := .Spec.Labels}}{{$key}} {{end}}';
    const [[availability, ...labels] = []] = rowsOf(await this.#docker('node', 'inspect', id, '--format', format));
    if (availability !== 'active') await this.#docker('node', 'update', '--availability', 'active', id);
    for (const label of labels.filter((key) => key.startsWith('x.'))) {
      await this.#docker('node', 'update', '--label-rm', label, id);
    }
  }

  /** What cannot be done is seen by the scenario that follows. */
  #docker(...args: readonly string[]): Promise<string> {
    return docker(this.environment, ...args).catch(() => '');
  }
}

const isScenarios = (name: string | undefined): boolean => name?.startsWith('x-') === true;

const rowsOf = (output: string): readonly (readonly string[])[] =>
  output
    .split('\n')
    .filter((line) => line.trim() !== '')
    .map((line) => line.trim().split(/\s+/));

function docker(env: NodeJS.ProcessEnv, ...args: readonly string[]): Promise<string> {
  const options: ExecFileOptions = { env, timeout: COMMAND_TIMEOUT_MS };
  return new Promise((resolve, reject) => {
    execFile('docker', args, options, (error, stdout) => {
      if (error) reject(error);
      else resolve(stdout.toString());
    });
  });
}
