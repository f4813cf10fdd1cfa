/**
 * The ids of the nodes this agent was in its life. Containers carry the id of their node as a label, so these tell which
 * of an engine's containers are ours, without a mark of our own that Docker's containers lack.
 */
import { readFileSync } from 'node:fs';
import { writeFileAtomic } from '../../../common/files.ts';

export class KnownNodes {
  readonly #file: string;
  readonly #ids: Set<string>;
  /** Writes never overlap. */
  #written: Promise<void> = Promise.resolve();

  private constructor(file: string, ids: Iterable<string>) {
    this.#file = file;
    this.#ids = new Set(ids);
  }

  /** Empty when there is no such file yet. */
  static read(file: string): KnownNodes {
    try {
      return new KnownNodes(file, readFileSync(file, 'utf8').split('\n').filter(Boolean));
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
      return new KnownNodes(file, []);
    }
  }

  get isEmpty(): boolean {
    return this.#ids.size === 0;
  }

  has(nodeId: string): boolean {
    return this.#ids.has(nodeId);
  }

  /** Resolves when it is on disk. */
  add(nodeId: string): Promise<void> {
    const added = this.#written.then(async () => {
      if (this.#ids.has(nodeId)) return;
      await writeFileAtomic(this.#file, [...this.#ids, nodeId, ''].join('\n'));
      this.#ids.add(nodeId);
    });
    this.#written = added.catch(() => undefined);
    return added;
  }
}
