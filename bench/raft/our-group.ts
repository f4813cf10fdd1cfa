/** Three members of ours as processes on loopback; see member.ts. */
import { fork, type ChildProcess } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdirSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { newId } from '../../src/common/ids.ts';
import {
  createRootCa,
  createSigningRequest,
  signNodeCertificate,
  type KeyPair,
} from '../../src/identity/certificate.ts';
import { managerChannelOptions, memberCredentials } from '../../src/identity/client-credentials.ts';
import { NodeIdentity } from '../../src/identity/node-identity.ts';
import type { Member } from '../../src/manager/consensus/member-list.ts';
import { until } from '../support/waiting.ts';
import type { MemberCall, MemberReport } from './member.ts';
import type { Target } from './put-load.ts';

const PROGRAM = fileURLToPath(new URL('./member.js', import.meta.url));
const CERTIFICATE_LIFE_MS = 24 * 3_600_000;

/** A member's process, told what to do over its channel. */
class MemberProcess {
  readonly directory: string;
  readonly #child: ChildProcess;
  readonly #waiting = new Map<
    number,
    { readonly resolve: (result: unknown) => void; readonly reject: (error: Error) => void }
  >();
  #calls = 0;

  constructor(directory: string) {
    this.directory = directory;
    mkdirSync(directory, { recursive: true });
    this.#child = fork(PROGRAM, { serialization: 'advanced', execArgv: [] });
    this.#child.on('message', ({ id, result, error }: { id: number; result?: unknown; error?: string }) => {
      const call = this.#waiting.get(id);
      this.#waiting.delete(id);
      if (error === undefined) call?.resolve(result);
      else call?.reject(new Error(error));
    });
    this.#child.once('exit', (code) => {
      for (const { reject } of this.#waiting.values()) reject(new Error(`a member ended with code ${code}`));
    });
  }

  call<T>(call: MemberCall): Promise<T> {
    const id = ++this.#calls;
    return new Promise((resolve, reject) => {
      this.#waiting.set(id, { resolve: (result) => resolve(result as T), reject });
      this.#child.send({ ...call, id });
    });
  }

  report(): Promise<MemberReport> {
    return this.call({ call: 'report' });
  }

  /** Names of its published snapshots. */
  snapshots(): readonly string[] {
    return readdirSync(join(this.directory, 'raft')).filter((file) => file.endsWith('.snap'));
  }

  async end(): Promise<void> {
    if (this.#child.exitCode !== null) return;
    const ended = new Promise<void>((resolve) => this.#child.once('exit', () => resolve()));
    this.#child.kill('SIGKILL');
    await ended;
  }
}

export class OurGroup {
  readonly #directory: string;
  readonly #root: KeyPair;
  readonly #clusterId = newId();
  readonly #members: MemberProcess[] = [];
  readonly #places: Member[] = [];

  private constructor(directory: string, root: KeyPair) {
    this.#directory = directory;
    this.#root = root;
  }

  static async start(directory: string, members = 3): Promise<OurGroup> {
    const group = new OurGroup(directory, await createRootCa(Date.now()));
    try {
      for (let i = 0; i < members; i++) await group.add();
      return group;
    } catch (error) {
      await group.close();
      throw error;
    }
  }

  /** The member that leads: the first, since nobody takes leadership from it. */
  get leader(): MemberProcess {
    return this.#members[0] as MemberProcess;
  }

  /** Starts one more member; resolves when it has caught up and votes. */
  async add(): Promise<MemberProcess> {
    const number = this.#members.length + 1;
    const member = new MemberProcess(join(this.#directory, `m${number}`));
    this.#members.push(member);
    const { rootBundle, pair } = await this.#identity();
    const raftId = (randomBytes(8).readBigUInt64BE() >> 1n).toString();
    const start = { directory: member.directory, rootBundle, pair, raftId, known: this.#places.slice(0, 1) };
    const place = await member.call<Member>({ call: 'start', start });
    this.#places.push(place);
    if (number > 1) await this.leader.call({ call: 'admit', member: place });
    await until('the member to vote', async () => {
      const { isLeader, voters } = await this.leader.report();
      return isLeader && voters === number;
    });
    return member;
  }

  async target(): Promise<Target> {
    const { rootBundle, pair } = await this.#identity();
    const identity = NodeIdentity.inMemory(rootBundle, pair);
    const address = this.#places[0]?.address ?? '';
    return { address, credentials: memberCredentials(identity.current), options: managerChannelOptions };
  }

  async close(): Promise<void> {
    await Promise.all(this.#members.map((member) => member.end()));
  }

  async #identity(): Promise<{ readonly rootBundle: string; readonly pair: KeyPair }> {
    const { csr, key } = await createSigningRequest();
    const subject = { nodeId: newId(), role: 'manager', clusterId: this.#clusterId } as const;
    const certificate = await signNodeCertificate(csr, subject, this.#root, {
      nowMs: Date.now(),
      lifeMs: CERTIFICATE_LIFE_MS,
    });
    return { rootBundle: this.#root.certificate, pair: { certificate, key } };
  }
}
