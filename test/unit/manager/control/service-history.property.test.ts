import fc from 'fast-check';
import { expect, it } from 'vitest';
import { UpdateServiceRequest_Rollback as Rollback } from '../../../../src/proto/generated/docker/swarmkit/v1/control.ts';
import type { Service } from '../../../../src/proto/generated/docker/swarmkit/v1/objects.ts';
import type { ServiceSpec } from '../../../../src/proto/generated/docker/swarmkit/v1/specs.ts';
import { aServiceSpec, testControl } from '../../../support/local-control.ts';

/** Each update of the test has its own number of replicas, by which its spec is known. */
const numbered = (replicas: number): ServiceSpec =>
  aServiceSpec('web', { mode: { $case: 'replicated', value: { replicas } } });
const numberOf = (spec: ServiceSpec | undefined): number | undefined =>
  spec?.mode?.$case === 'replicated' ? spec.mode.value.replicas : undefined;

it('keeps spec, previous spec and their versions together through any updates, rollbacks and stale tries', async () => {
  const step = fc.constantFrom('update' as const, 'rollback' as const, 'stale' as const, 'status' as const);
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 30 }), async (steps) => {
      const { control, store } = await testControl();
      const created = await control.createService({ id: '', spec: numbered(0) });
      const id = created.service?.id ?? '';
      let model: { readonly now: number; readonly before: number | undefined } = { now: 0, before: undefined };
      const versionOfSpec = new Map<number, number>();
      let made = 0;
      for (const kind of steps) {
        const service = store.read.service.get(id) as Service;
        const change = (
          spec: ServiceSpec | undefined,
          rollback: Rollback,
          version = service.meta?.version,
        ): Promise<unknown> => control.updateService({ serviceId: id, serviceVersion: version, spec, rollback });
        if (kind === 'update') {
          await change(numbered(++made), Rollback.NONE);
          model = { now: made, before: model.now };
        } else if (kind === 'rollback') {
          const outcome = change(undefined, Rollback.PREVIOUS);
          if (model.before === undefined) await expect(outcome).rejects.toMatchObject({ code: 'failedPrecondition' });
          else {
            await outcome;
            model = { now: model.before, before: model.now };
          }
        } else if (kind === 'stale') {
          const old = { index: service.changedFrom?.index ?? (service.meta?.version?.index ?? 1) - 1 };
          await expect(change(numbered(999), Rollback.NONE, old)).rejects.toMatchObject({ code: 'outOfSequence' });
        } else {
          // Another writer touches the service: its version moves on, its spec version does not.
          await store.update((tx) =>
            tx.service.update({ ...(tx.service.get(id) as Service), updateStatus: undefined }),
          );
        }
        const after = store.read.service.get(id) as Service;
        expect(numberOf(after.spec)).toBe(model.now);
        expect(numberOf(after.previousSpec)).toBe(model.before);
        // One spec always has the same version, and no two specs share one.
        const version = after.specVersion?.index ?? -1;
        expect(versionOfSpec.get(model.now) ?? version).toBe(version);
        versionOfSpec.set(model.now, version);
        expect(new Set(versionOfSpec.values()).size).toBe(versionOfSpec.size);
      }
    }),
    { numRuns: 60 },
  );
});
