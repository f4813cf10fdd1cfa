/** A machine of the trial: a network namespace with an address, a small disk of its own, and at most one daemon. */
import { execFileSync } from 'node:child_process';
import { closeSync, openSync, readdirSync, readFileSync, rmSync, writeFileSync, writeSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { Random } from '../../src/common/random.ts';
import { TestDaemon } from '../support/cluster.ts';
import { run } from '../support/docker-engine.ts';

/** An address nobody has: frames to it are sent and lost, and nobody is told. */
const NOWHERE = '02:00:00:00:00:01';
const DISK = '160m';
/** What a segment of the log begins with is not damaged: a header alone would be too easy to find. */
const SEGMENT_HEADER_BYTES = 128;

export interface Place {
  readonly namespace: string;
  readonly address: string;
}

export class Host implements Place {
  readonly namespace: string;
  readonly address: string;
  readonly daemon: TestDaemon;
  readonly #disk: string;
  readonly #lostTo = new Set<string>();

  private constructor(place: Place, daemon: TestDaemon) {
    this.namespace = place.namespace;
    this.address = place.address;
    this.daemon = daemon;
    this.#disk = daemon.directory;
  }

  /** A host whose daemon has not been started. */
  static async prepare(place: Place, name: string, directory: string, args: readonly string[]): Promise<Host> {
    const daemon = new TestDaemon(name, directory, args, place.namespace);
    await mkdir(daemon.directory, { recursive: true });
    await run('mount', ['-t', 'tmpfs', '-o', `size=${DISK}`, 'tmpfs', daemon.directory]);
    return new Host(place, daemon);
  }

  get name(): string {
    return this.daemon.name;
  }

  /** From now on nothing this host sends to the other arrives there; nothing is refused or closed. */
  async loseTo(other: Place): Promise<void> {
    const entry = [other.address, 'lladdr', NOWHERE, 'dev', 'eth0', 'nud', 'permanent'];
    await run('ip', ['-n', this.namespace, 'neigh', 'replace', ...entry]);
    this.#lostTo.add(other.address);
  }

  /** Everything it sends arrives again. */
  async mendLinks(): Promise<void> {
    for (const address of this.#lostTo) await run('ip', ['-n', this.namespace, 'neigh', 'del', address, 'dev', 'eth0']);
    this.#lostTo.clear();
  }

  /** Takes all space that is left on its disk; returns how to give it back. */
  fillDisk(): () => void {
    const path = join(this.#disk, 'ballast');
    const fd = openSync(path, 'w');
    const block = new Uint8Array(65_536).fill(1);
    try {
      for (;;) writeSync(fd, block);
    } catch {
      closeSync(fd);
    }
    return () => rmSync(path, { force: true });
  }

  /** Times its log said that the disk was full. */
  get timesFull(): number {
    return this.daemon.log.split('"disk full: ').length - 1;
  }

  /** Times it found its log damaged and joined the others as a new member. */
  get timesRepaired(): number {
    return this.daemon.log.split('joins the other managers again as a new member').length - 1;
  }

  /** Flips one byte somewhere in what a segment of its log holds. The daemon must not be running. */
  damageLog(random: Random): string {
    const folder = join(this.#disk, 'raft');
    const segments = readdirSync(folder)
      .filter((file) => file.endsWith('.wal'))
      .map((file) => ({ file, bytes: readFileSync(join(folder, file)) }))
      .map((segment) => ({ ...segment, used: segment.bytes.findLastIndex((byte) => byte !== 0) + 1 }))
      .filter(({ used }) => used > SEGMENT_HEADER_BYTES);
    const segment = segments[Math.floor(random() * segments.length)];
    if (segment === undefined) throw new Error(`${this.name} has no log`);
    const { file, bytes, used } = segment;
    const offset = SEGMENT_HEADER_BYTES + Math.floor(random() * (used - SEGMENT_HEADER_BYTES));
    bytes[offset] = (bytes[offset] as number) ^ (1 << Math.floor(random() * 8));
    writeFileSync(join(folder, file), bytes);
    return `byte ${offset} of ${used} in ${file}`;
  }

  /** Ends the daemon and takes the disk away. */
  async dispose(): Promise<void> {
    this.daemon.signal('SIGCONT');
    await this.daemon.kill();
    execFileSync('umount', ['-l', this.#disk]);
  }
}
