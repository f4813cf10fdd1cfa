/** An agent with a scripted runtime and fake managers on loopback, in real time. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { systemClock } from '../../src/common/clock.ts';
import { silentLogger } from '../../src/common/log.ts';
import { Agent, type AgentOptions } from '../../src/worker/agent.ts';
import { ScriptedDriver, ScriptedWorld } from '../../src/worker/drivers/scripted-driver.ts';
import { FakeManager, type FakeManagerOptions } from './fake-manager.ts';
import { plainConnector } from './plain-connector.ts';

export class AgentRig {
  readonly dir = mkdtempSync(path.join(tmpdir(), 'swarmd-agent-'));
  readonly world = new ScriptedWorld();
  driver = this.#newDriver();
  agent: Agent | undefined;
  #abort = new AbortController();
  #running: Promise<void> = Promise.resolve();
  readonly #managers: FakeManager[] = [];

  async manager(options: FakeManagerOptions = {}): Promise<FakeManager> {
    const manager = await FakeManager.start(options);
    this.#managers.push(manager);
    return manager;
  }

  start(options: Partial<AgentOptions> = {}): Agent {
    this.#abort = new AbortController();
    this.driver = this.#newDriver();
    this.agent = new Agent({
      nodeId: 'node1',
      stateDir: path.join(this.dir, 'state'),
      driver: this.driver,
      connector: plainConnector(),
      managers: this.#managers.map((manager) => manager.address),
      log: silentLogger,
      ...options,
    });
    this.#running = this.agent.run(this.#abort.signal);
    this.#running.catch(() => undefined);
    return this.agent;
  }

  async stop(): Promise<void> {
    this.#abort.abort();
    await this.#running;
  }

  async close(): Promise<void> {
    await this.stop().catch(() => undefined);
    for (const manager of this.#managers) await manager.stop();
    rmSync(this.dir, { recursive: true, force: true });
  }

  #newDriver(): ScriptedDriver {
    return new ScriptedDriver({ clock: systemClock, world: this.world, engineVersion: 'test' });
  }
}
