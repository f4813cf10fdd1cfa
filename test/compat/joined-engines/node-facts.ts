/** What a swarm says of an engine, and what it refuses an engine. */
import { describe, expect, it } from 'vitest';
import type { EngineLab } from '../../support/engine-lab.ts';
import { within } from './within.ts';

interface EngineInfo {
  readonly Name: string;
  readonly Architecture: string;
  readonly NCPU: number;
  readonly MemTotal: number;
  readonly ServerVersion: string;
  readonly Plugins: Readonly<Record<string, readonly string[] | null>>;
}

interface NodeDescription {
  readonly Description: {
    readonly Hostname: string;
    readonly Platform: object;
    readonly Resources: {
      readonly NanoCPUs: number;
      readonly MemoryBytes: number;
      readonly GenericResources?: object[];
    };
    readonly Engine: {
      readonly EngineVersion: string;
      readonly Labels: object;
      readonly Plugins: readonly { readonly Type: string; readonly Name: string }[];
    };
  };
}

export function describeNodeFacts(lab: () => EngineLab): void {
  describe('as nodes', () => {
    it('are ready', async () => {
      const shown = (): Promise<string> =>
        lab().docker('node', 'ls', '--filter', 'role=worker', '--format', '{{.EngineVersion}} {{.Status}}');
      await expect.poll(shown, within).toMatch(/^(\d+\.\d+\.\d+\S* Ready\n?){2}$/);
    });

    it('are described as they describe themselves', async () => {
      const [engine] = lab().engines;
      const info = JSON.parse(await engine!.docker('info', '--format', '{{json .}}')) as EngineInfo;
      const node = JSON.parse(
        await lab().docker('node', 'inspect', '--format', '{{json .}}', await lab().nodeIdOf(engine!)),
      ) as NodeDescription;
      const { Hostname, Platform, Resources, Engine } = node.Description;
      expect({ Hostname, Platform }).toEqual({
        Hostname: info.Name,
        Platform: { Architecture: info.Architecture, OS: 'linux' },
      });
      expect(Resources).toMatchObject({ NanoCPUs: info.NCPU * 1e9, MemoryBytes: info.MemTotal });
      // An engine says them in any order.
      expect(new Set(Resources.GenericResources)).toEqual(
        new Set([
          { NamedResourceSpec: { Kind: 'gpu', Value: 'first' } },
          { NamedResourceSpec: { Kind: 'gpu', Value: 'second' } },
          { DiscreteResourceSpec: { Kind: 'slots', Value: 3 } },
        ]),
      );
      expect(Engine.EngineVersion).toBe(info.ServerVersion);
      expect(Engine.Labels).toEqual({ disk: 'ssd' });
      const own = ['Log', 'Network', 'Volume'].flatMap((type) =>
        (info.Plugins[type] ?? []).map((name) => `${type} ${name}`),
      );
      expect(Engine.Plugins.map(({ Type, Name }) => `${Type} ${Name}`).toSorted()).toEqual(own.toSorted());
    });

    it('take tasks by their engine labels and generic resources', async () => {
      const [engine] = lab().engines;
      await lab().create(
        'gpu',
        ['--replicas', '3', '--generic-resource', 'gpu=1', '--constraint', 'engine.labels.disk==ssd'],
        'env; trap "exit 0" TERM; sleep 1000 & wait',
      );
      await expect.poll(async () => (await lab().running('gpu')).length, within).toBe(2);
      const third = (await lab().tasks('gpu')).find(({ Status }) => Status.State === 'pending');
      expect(third?.Status.Err).toMatch(/^no suitable node \(insufficient resources on 5 nodes\)$/);
      expect(new Set((await lab().running('gpu')).map(({ NodeID }) => NodeID))).toEqual(
        new Set([await lab().nodeIdOf(engine!)]),
      );
      // A task without a node has no log, and the command would say so.
      await lab().docker('service', 'scale', '--detach', 'gpu=2');
      await expect.poll(async () => (await lab().tasks('gpu')).length, within).toBe(2);
      const given = (await lab().docker('service', 'logs', '--raw', 'gpu'))
        .split('\n')
        .filter((line) => line.startsWith('DOCKER_RESOURCE'));
      expect(given.toSorted()).toEqual(['DOCKER_RESOURCE_GPU=first', 'DOCKER_RESOURCE_GPU=second']);
      await lab().docker('service', 'rm', 'gpu');
    });

    it('are never promoted', async () => {
      const id = await lab().nodeIdOf(lab().engines[0]!);
      await expect(lab().docker('node', 'promote', id)).rejects.toThrow(
        /is a Docker Engine, which cannot be a manager of this swarm/,
      );
      expect((await lab().node(lab().engines[0]!)).Spec.Role).toBe('worker');
    });
  });
}
