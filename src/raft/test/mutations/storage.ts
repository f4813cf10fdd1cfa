/** Planted bugs in what is durable, in how the log is read back, and in what surrounds raft-ts. */
import { edit } from '../planting/edit.ts';
import { mutation, type Mutation } from './mutation.ts';

const PLAN = 'src/log/batch-plan.ts';
const WRITER = 'src/log/segment-writer.ts';
const VIEW = 'src/log/log-view.ts';
const SCAN = 'src/log/segment-scan.ts';

export const STORAGE_MUTATIONS: readonly Mutation[] = [
  mutation(
    'term not persisted',
    { test: 'log/crash.test.ts', simulation: 10 },
    edit(
      PLAN,
      'hardState: hasNewHardState ? now : undefined,',
      'hardState: now.commit !== before.commit ? now : undefined,',
    ),
  ),
  mutation(
    'new vote written without a sync',
    { simulation: 20 },
    edit(PLAN, 'mustSync: sync || hasVoted || others', 'mustSync: sync || now.term !== before.term || others'),
  ),
  mutation(
    'write acknowledged before it is synced',
    { test: 'log/crash.test.ts', simulation: 20 },
    edit(WRITER, 'this.#options.files.sync(current.fd);', ''),
  ),
  mutation(
    'failed sync ignored',
    { test: 'log/crash.test.ts' },
    edit(
      WRITER,
      'this.#options.files.sync(current.fd);',
      'try {\n      this.#options.files.sync(current.fd);\n    } catch {\n      // It will do better the next time.\n    }',
    ),
  ),
  mutation(
    'new segment named before its content is durable',
    { test: 'log/crash.test.ts', simulation: 40 },
    edit(WRITER, 'files.sync(fd);\n    files.rename(', 'files.rename('),
  ),
  mutation(
    'new segment used before its name is durable',
    { test: 'log/crash.test.ts', simulation: 40 },
    edit(WRITER, '    files.syncDirectory(directory);\n', ''),
  ),
  mutation(
    'torn record accepted',
    { test: 'log/crash.test.ts', simulation: 40 },
    edit(
      'src/log/record.ts',
      'return head !== undefined && isIntact(bytes, offset, head, seed) ? head : undefined;',
      'return head;',
    ),
  ),
  mutation(
    'record read back without its checksum',
    { test: 'log/damage.test.ts' },
    edit('src/log/read-back.ts', 'if (!isEncrypted && !window.isIntact(', 'if (isEncrypted && !window.isIntact('),
  ),
  mutation(
    'encrypted record taken without its authentication',
    { test: 'log/encryption.test.ts' },
    edit(
      'src/log/cipher.ts',
      '    return undefined;\n  }\n  return new Uint8Array(plain',
      '  }\n  return new Uint8Array(plain',
    ),
  ),
  mutation(
    'corrupted middle taken as a torn tail',
    { test: 'log/damage.test.ts', simulation: 40 },
    edit(
      SCAN,
      'if (recordAt(bytes, view, offset, seed) !== undefined) {',
      'if (recordAt(bytes, view, offset, seed) !== undefined && offset < 0) {',
    ),
  ),
  mutation(
    'part of a group taken as the whole',
    { test: 'log/crash.test.ts', simulation: 40 },
    edit(SCAN, 'group.push({ offset, head, payload });', 'onGroup([{ offset, head, payload }]);\n      end = at;'),
  ),
  mutation(
    'missing oldest segment not noticed',
    { test: 'log/crash.test.ts' },
    edit(VIEW, 'if (firstIndex - 1 > mark.index) {', 'if (firstIndex < 0) {'),
  ),
  mutation(
    'note of how far the log was durable ignored',
    { test: 'log/damage.test.ts' },
    edit('src/log/recovery.ts', 'if (scan.end.sequence < watermark) {', 'if (watermark < 0) {'),
  ),
  mutation(
    'commit index falls behind the snapshot',
    { test: 'log/snapshots.test.ts', simulation: 20 },
    edit(VIEW, 'Math.max(state.commit, this.#hardState.commit, this.#mark.index)', 'state.commit'),
  ),
  mutation(
    'snapshot and log of different configurations',
    { test: 'log/model.test.ts', simulation: 40 },
    edit(VIEW, 'this.#confState = mark.confState;', ''),
  ),
  mutation(
    'snapshot renamed without a sync of the directory',
    { test: 'log/snapshot-durability.test.ts' },
    edit('src/log/snapshot-writer.ts', 'syncDirectory(this.#options.directory);', ''),
  ),
  mutation(
    'snapshot renamed before its content is durable',
    { test: 'log/snapshot-durability.test.ts' },
    edit('src/log/snapshot-writer.ts', 'await this.#file.sync();', ''),
  ),
  mutation(
    'command sent twice takes effect twice (in the simulated application)',
    { simulation: 60 },
    edit('src/testing/simulation/application.ts', 'if (number <= (this.#sessions[client] ?? 0)) return;', ''),
  ),
  mutation(
    'member whose log is lost comes back under its old id (in the simulated node)',
    { simulation: 400 },
    edit(
      'src/testing/simulation/node.ts',
      "this.status = 'halted';\n      return;",
      'for (const file of this.disk.list()) this.disk.remove(file);\n      this.disk.syncDirectory();\n      this.log = undefined;\n      this.start();\n      return;',
    ),
  ),
];
