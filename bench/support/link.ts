/** A network namespace joined to this one by a link that can be made a black hole. Needs root and the ip command. */
import { execFileSync } from 'node:child_process';
import { randomInt } from 'node:crypto';
import { closeWhenInterrupted } from '../../test/support/interruption.ts';

const ip = (...args: readonly string[]): void => void execFileSync('ip', args, { stdio: 'pipe' });

/** An address nobody has: frames to it are sent and lost, and nobody is told. */
const NOWHERE = '02:00:00:00:00:01';

export class Link {
  readonly namespace: string;
  /** This side's address. */
  readonly here: string;
  readonly #there: string;
  readonly #device: string;
  readonly #forget = closeWhenInterrupted(() => this.close());

  private constructor(tag: string, subnet: string) {
    this.namespace = `swarmd-${tag}`;
    this.#device = `swd${tag}`;
    this.here = `${subnet}.1`;
    this.#there = `${subnet}.2`;
  }

  static create(): Link {
    const tag = randomInt(0x10000, 0x100000).toString(16);
    const link = new Link(tag, `10.231.${randomInt(1, 255)}`);
    try {
      ip('netns', 'add', link.namespace);
      ip('link', 'add', link.#device, 'type', 'veth', 'peer', 'name', 'eth0', 'netns', link.namespace);
      ip('addr', 'add', `${link.here}/30`, 'dev', link.#device);
      ip('link', 'set', link.#device, 'up');
      ip('-n', link.namespace, 'addr', 'add', `${link.#there}/30`, 'dev', 'eth0');
      ip('-n', link.namespace, 'link', 'set', 'lo', 'up');
      ip('-n', link.namespace, 'link', 'set', 'eth0', 'up');
      return link;
    } catch (error) {
      link.close();
      throw error;
    }
  }

  /** From now on nothing arrives, in either direction; no connection is closed and nothing is refused. */
  cut(): void {
    ip('neigh', 'replace', this.#there, 'lladdr', NOWHERE, 'dev', this.#device, 'nud', 'permanent');
    ip('-n', this.namespace, 'neigh', 'replace', this.here, 'lladdr', NOWHERE, 'dev', 'eth0', 'nud', 'permanent');
  }

  heal(): void {
    ip('neigh', 'del', this.#there, 'dev', this.#device);
    ip('-n', this.namespace, 'neigh', 'del', this.here, 'dev', 'eth0');
  }

  /** Removes the namespace; processes in it must have ended. */
  close(): void {
    this.#forget();
    for (const remove of [
      ['link', 'del', this.#device],
      ['netns', 'del', this.namespace],
    ]) {
      try {
        ip(...remove);
      } catch {
        // It was never made.
      }
    }
  }
}
