/** swarmctl against real daemons with the process runtime: stacks in the order they ask for, and plans that come true. */
import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { TestCluster } from '../support/cluster.ts';
import { repositoryRoot } from '../support/repository.ts';

const run = promisify(execFile);

describe('swarmctl on real nodes', () => {
  let cluster: TestCluster;
  let folder: string;
  const swarmctl = async (
    ...args: readonly string[]
  ): Promise<{ readonly stdout: string; readonly stderr: string }> => {
    const host = cluster.managers[0]?.host ?? '';
    return run(process.execPath, [join(repositoryRoot, 'bin', 'swarmctl.js'), '--host', host, ...args]);
  };
  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'stack-'));
    cluster = await TestCluster.start({ managers: 1, workers: 2, managerRuntime: 'process' });
  });
  afterAll(async () => {
    await cluster.close();
    rmSync(folder, { recursive: true, force: true });
  });

  it('deploys a stack in the order of depends_on, and keeps what has not changed', async () => {
    const file = join(folder, 'compose.yaml');
    const trace = join(folder, 'trace');
    const ready = join(folder, 'ready');
    const compose = (greeting: string): string => `
services:
  web:
    image: host
    command: ["sh", "-c", "echo web >> ${trace}; exec sleep 1000"]
    environment: { GREETING: ${greeting} }
    networks: [hostnet]
    deploy: { replicas: 2, update_config: { parallelism: 0, monitor: 100ms } }
    depends_on:
      db: { condition: service_healthy }
      migrate: { condition: service_completed_successfully }
  migrate:
    image: host
    command: ["sh", "-c", "sleep 0.5; echo migrate >> ${trace}"]
    networks: [hostnet]
    deploy: { mode: replicated-job }
    depends_on: [db]
  db:
    image: host
    command: ["sh", "-c", "echo db >> ${trace}; sleep 1; touch ${ready}; exec sleep 1000"]
    networks: [hostnet]
    healthcheck: { test: "test -e ${ready} && echo healthy >> ${trace}", interval: 200ms, retries: 100 }
networks:
  hostnet: { external: true, name: host }
`;
    writeFileSync(file, compose('hello'));
    const first = await swarmctl('stack', 'deploy', '--timeout', '60s', '-c', file, 'shop');
    expect(first.stdout.trim().split('\n')).toEqual([
      'Creating service shop_db',
      'Creating service shop_migrate',
      'Creating service shop_web',
    ]);
    expect(first.stderr).toContain('web waits for db to be healthy');
    const order = readFileSync(trace, 'utf8').split('\n');
    expect(order[0]).toBe('db');
    expect(order.indexOf('healthy')).toBeLessThan(order.indexOf('web'));
    expect(order.indexOf('migrate')).toBeLessThan(order.indexOf('web'));
    expect(order.filter((line) => line === 'web')).toHaveLength(2);

    const before = new Set((await cluster.running('shop_db')).map((task) => task.ID));
    writeFileSync(file, compose('goodbye'));
    const second = await swarmctl('stack', 'deploy', '--timeout', '60s', '-c', file, 'shop');
    expect(second.stdout.trim().split('\n')).toEqual([
      'Keeping service shop_db',
      'Keeping service shop_migrate',
      'Updating service shop_web (Env)',
    ]);
    expect(new Set((await cluster.running('shop_db')).map((task) => task.ID))).toEqual(before);
    expect((await swarmctl('stack', 'ls', '--format', '{{.Name}} {{.Services}}')).stdout).toBe('shop 3\n');
    await swarmctl('stack', 'rm', '--timeout', '30s', 'shop');
    expect((await swarmctl('stack', 'ls', '--quiet')).stdout).toBe('');
  });

  it('plans what then happens', async () => {
    interface Plan {
      readonly tasks: readonly { readonly slot: number; readonly nodeId: string }[];
    }
    const planned = async (verb: string, ...args: readonly string[]): Promise<readonly string[]> => {
      const plan = JSON.parse((await swarmctl('plan', verb, '--output', 'json', ...args)).stdout) as Plan;
      return plan.tasks.filter((t) => t.nodeId !== '').map(({ slot, nodeId }) => `${slot} on ${nodeId}`);
    };
    const actual = async (): Promise<readonly string[]> =>
      (await cluster.running('planned')).map(({ Slot, NodeID }) => `${Slot} on ${NodeID}`).toSorted();
    const create = ['--name', 'planned', '--replicas', '5', 'host', 'sleep', '1000'];
    const expected = await planned('create', ...create);
    await swarmctl('service', 'create', ...create);
    expect(await actual()).toEqual(expected.toSorted());
    const less = await planned('scale', 'planned=2');
    await swarmctl('service', 'scale', 'planned=2');
    await expect.poll(actual, { timeout: 20_000 }).toEqual(less.toSorted());
    await swarmctl('service', 'rm', 'planned');
  });

  it('shows what tasks use while they run', async () => {
    interface Row {
      readonly Name: string;
      readonly Usage: { readonly NanoCPUs: number; readonly MemoryBytes: number; readonly PIDs: number } | null;
    }
    const create = ['service', 'create', '--limit-cpu', '0.2', '--name'];
    await swarmctl(...create, 'busy', 'host', 'sh', '-c', 'while :; do :; done');
    await swarmctl(...create, 'idle', '--mode', 'global', 'host', 'sleep', '1000');
    const rows = JSON.parse((await swarmctl('top', '--output', 'json')).stdout) as readonly Row[];
    expect(rows.map(({ Name }) => Name.split('.')[0])).toEqual(['busy', 'idle', 'idle', 'idle']);
    for (const { Usage } of rows) expect(Usage).toMatchObject({ PIDs: 1 });
    expect(rows[0]?.Usage?.NanoCPUs).toBeGreaterThan(rows[1]?.Usage?.NanoCPUs ?? 0);
    await swarmctl('service', 'rm', 'busy', 'idle');
  });
});
