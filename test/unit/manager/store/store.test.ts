import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { FakeClock } from '../../../../src/common/clock.ts';
import { Store, type Proposer } from '../../../../src/manager/store/store.ts';
import { decodeSnapshot, encodeSnapshot, stateHash } from '../../../../src/manager/store/snapshot.ts';
import type { Writer } from '../../../../src/manager/store/transaction.ts';
import { Config, Task } from '../../../../src/proto/generated/docker/swarmkit/v1/objects.ts';
import { ClusterSnapshot } from '../../../../src/proto/generated/docker/swarmkit/v1/snapshot.ts';
import { localStore } from '../../../support/local-store.ts';

const aConfig = (id: string, name = id): Config => Config.fromPartial({ id, spec: { annotations: { name } } });
const nameOf = (c: Config | undefined): string | undefined => c?.spec?.annotations?.name;

describe('the store', () => {
  it('shows a change only once its entry commits', async () => {
    const local = localStore();
    local.autoCommit = false;
    const done = local.store.update((tx) => tx.config.create(aConfig('a')));
    expect(local.store.read.config.get('a')).toBeUndefined();
    local.commit();
    await done;
    expect(local.store.read.config.get('a')?.meta?.version?.index).toBe(1);
  });

  it('lets a transaction build on one that is still on its way', async () => {
    const local = localStore();
    local.autoCommit = false;
    const first = local.store.update((tx) => tx.config.create(aConfig('a')));
    const second = local.store.update((tx) => {
      const a = tx.config.get('a') as Config;
      expect(a.meta?.version?.index).toBe(1);
      tx.config.update({
        ...a,
        spec: {
          ...Config.fromPartial({}).spec,
          annotations: { name: 'b', labels: {}, indices: [] },
          data: Buffer.of(),
        },
      });
    });
    local.commit();
    await Promise.all([first, second]);
    expect(nameOf(local.store.read.config.get('a'))).toBe('b');
    expect(local.store.read.config.byName('B')?.meta?.version?.index).toBe(2);
    expect(local.store.read.config.byName('a')).toBeUndefined();
  });

  it('refuses a write that was made from an older version', async () => {
    const { store } = localStore();
    await store.update((tx) => tx.config.create(aConfig('a')));
    const stale = store.read.config.get('a') as Config;
    await store.update((tx) => tx.config.update(stale));
    await expect(store.update((tx) => tx.config.update(stale))).rejects.toThrow('update out of sequence');
  });

  it('refuses a name that is taken, whatever its case', async () => {
    const { store } = localStore();
    await store.update((tx) => tx.config.create(aConfig('a', 'Web')));
    await expect(store.update((tx) => tx.config.create(aConfig('b', 'wEB')))).rejects.toMatchObject({
      code: 'alreadyExists',
    });
    expect(store.read.config.size).toBe(1);
  });

  it('takes back everything when the body throws', async () => {
    const { store } = localStore();
    await store.update((tx) => tx.config.create(aConfig('a')));
    await expect(
      store.update((tx) => {
        tx.config.delete('a');
        tx.config.create(aConfig('b', 'a'));
        throw new Error('changed my mind');
      }),
    ).rejects.toThrow('changed my mind');
    await store.update((tx) => {
      expect(tx.config.all().map((c) => c.id)).toEqual(['a']);
      expect(tx.config.byName('a')?.id).toBe('a');
    });
  });

  it('fails all proposals together when leadership is lost, and forgets what they built', async () => {
    const local = localStore();
    local.autoCommit = false;
    const first = local.store.update((tx) => tx.config.create(aConfig('a')));
    const second = local.store.update((tx) => tx.config.create(aConfig('b')));
    local.store.abandonProposals();
    await expect(first).rejects.toMatchObject({ code: 'unavailable' });
    await expect(second).rejects.toMatchObject({ code: 'unavailable' });
    local.store.update((tx) => expect(tx.config.size).toBe(0)).catch(() => undefined);
  });

  it('applies an entry that reaches the log twice only once', async () => {
    const local = localStore();
    await local.store.update((tx) => tx.config.create(aConfig('a')));
    await local.store.update((tx) => tx.config.delete('a'));
    local.store.applyEntry(3, local.entries[0] as Uint8Array);
    expect(local.store.read.config.get('a')).toBeUndefined();
    expect(local.store.version).toBe(3);
  });

  it('refuses a transaction over the limit and stays usable', async () => {
    const { store } = localStore();
    const big = Config.fromPartial({
      id: 'big',
      spec: { annotations: { name: 'big' }, data: Buffer.alloc(2 * 1024 * 1024) },
    });
    await expect(store.update((tx) => tx.config.create(big))).rejects.toMatchObject({ code: 'resourceExhausted' });
    await store.update((tx) => tx.config.create(aConfig('big')));
  });

  it('cuts a big job into bounded transactions', async () => {
    const local = localStore();
    const ids = Array.from({ length: 1000 }, (_, i) => `t${i}`);
    expect(await local.store.batch(ids, (tx, id) => tx.task.create(Task.fromPartial({ id })))).toBe(1000);
    expect(local.entries).toHaveLength(5);
    expect(local.store.read.task.size).toBe(1000);
  });

  describe('with a batch that pauses', () => {
    const ids = Array.from({ length: 2500 }, (_, i) => `task-${i}`);
    const createTask = (tx: Writer, id: string): void => tx.task.create(Task.fromPartial({ id }));

    it('lets others write between two transactions of it', async () => {
      const seen: number[] = [];
      const { store } = localStore(new FakeClock(), async () => {
        seen.push(store.read.task.size);
        await store.update((tx) => tx.config.create(aConfig(`beside-${seen.length}`)));
      });
      expect(await store.batch(ids, createTask)).toBe(2500);
      expect(seen).toHaveLength(2);
      expect(store.read.config.size).toBe(2);
      expect(store.read.task.size).toBe(2500);
    });

    it('does all in one turn when it is told to', async () => {
      const { store } = localStore(new FakeClock(), () => Promise.reject(new Error('there was a pause')));
      expect(await store.batch(ids, createTask, { inOneTurn: true })).toBe(2500);
    });

    it('writes nothing more when leadership is lost meanwhile', async () => {
      const local = localStore(new FakeClock(), async () => {
        local.store.abandonProposals();
        await new Promise((resolve) => setImmediate(resolve));
      });
      local.autoCommit = false;
      await expect(local.store.batch(ids, createTask)).rejects.toMatchObject({ code: 'unavailable' });
      expect(local.entries).toHaveLength(5);
      expect(local.store.proposalsInFlight).toBe(0);
    });
  });

  it('shows a watcher each later commit once and in order', async () => {
    const { store } = localStore();
    await store.update((tx) => tx.config.create(aConfig('a')));
    const [count, watch] = store.readAndWatch((r) => r.config.size, { kinds: ['config'] });
    expect(count).toBe(1);
    await store.update((tx) => tx.config.create(aConfig('b')));
    await store.update((tx) => tx.config.delete('a'));
    await store.update((tx) => tx.task.create(Task.fromPartial({ id: 't' })));
    expect(watch.take().flatMap((c) => c.changes.map((x) => `${x.action} ${x.object.id}`))).toEqual([
      'create b',
      'delete a',
    ]);
    watch.close();
  });

  it('cuts off a watcher that falls behind and lets it resume', async () => {
    const { store } = localStore();
    const watch = store.watch({ queueLimit: 2 });
    for (const id of ['a', 'b', 'c']) await store.update((tx) => tx.config.create(aConfig(id)));
    await expect(watch.next()).rejects.toMatchObject({ code: 'resourceExhausted' });
    const resumed = store.watchSince(1);
    expect(resumed.take().map((c) => c.version)).toEqual([2, 3]);
  });

  it('replays a log, and restores a snapshot, to the same bytes', async () => {
    const local = localStore();
    for (let i = 0; i < 50; i++) {
      await local.store.update((tx) => {
        tx.config.create(aConfig(`c${i}`));
        if (i > 10) tx.config.delete(`c${i - 10}`);
      });
    }
    const idle: Proposer = { propose: () => 0 };
    const replayed = new Store({ clock: new FakeClock(), newRequestId: () => '1', proposer: idle });
    local.entries.forEach((data, i) => replayed.applyEntry(i + 1, data));
    const hash = stateHash(local.store.capture());
    expect(stateHash(replayed.capture())).toBe(hash);
    const bytes = Buffer.concat([...encodeSnapshot(local.store.capture(), ClusterSnapshot.fromPartial({}))]);
    const restored = new Store({ clock: new FakeClock(), newRequestId: () => '1', proposer: idle });
    restored.restore(decodeSnapshot(bytes).state);
    expect(stateHash(restored.capture())).toBe(hash);
    expect(() => decodeSnapshot(bytes.subarray(0, bytes.length - 3))).toThrow('damaged');
  });

  it('writes the objects of a snapshot in order of id, whatever the order they came in', () => {
    fc.assert(
      fc.property(fc.uniqueArray(fc.stringMatching(/^[a-z0-9]{1,4}$/), { maxLength: 700 }), (ids) => {
        const capture = { ...localStore().store.capture(), requestIds: [] };
        const state = { ...capture, objects: { ...capture.objects, config: ids.map((id) => aConfig(id)) } };
        const bytes = Buffer.concat([...encodeSnapshot(state, ClusterSnapshot.fromPartial({}))]);
        expect(decodeSnapshot(bytes).state.objects.config.map(({ id }) => id)).toEqual([...ids].sort());
      }),
      { numRuns: 30 },
    );
  });
});
