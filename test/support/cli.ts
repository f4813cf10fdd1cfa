/** swarmctl in a test: its output collected, talking to the real API over a real socket. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { main } from '../../src/cli/main.ts';
import type { Terminal } from '../../src/cli/terminal.ts';
import { apiRig, type ApiRig } from './api-rig.ts';

export class TestTerminal implements Terminal {
  readonly isInteractive = false;
  readonly hasColours: boolean;
  readonly screenLines: number | undefined;
  readonly confirm: Terminal['confirm'];
  readonly ask: Terminal['ask'];
  readonly line: Terminal['line'];
  stdout = '';
  stderr = '';

  constructor(options: Partial<Pick<Terminal, 'hasColours' | 'screenLines' | 'confirm' | 'ask' | 'line'>> = {}) {
    this.hasColours = options.hasColours ?? false;
    this.screenLines = options.screenLines;
    this.confirm = options.confirm;
    this.ask = options.ask;
    this.line = options.line;
  }

  out(text: string): void {
    this.stdout += text;
  }

  err(text: string): void {
    this.stderr += text;
  }
}

interface CliResult {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs swarmctl in this process. */
export async function swarmctl(args: readonly string[], terminal = new TestTerminal()): Promise<CliResult> {
  const code = await main(['node', 'swarmctl', ...args], terminal);
  return { code, stdout: terminal.stdout, stderr: terminal.stderr };
}

interface CliRig extends ApiRig {
  readonly host: string;
  /** swarmctl with --host. */
  run(...args: readonly string[]): Promise<CliResult>;
}

export async function cliRig(): Promise<CliRig> {
  const rig = await apiRig();
  const folder = await mkdtemp(join(tmpdir(), 'swarmctl-'));
  const host = `unix://${join(folder, 'api.sock')}`;
  await rig.api.listen(host);
  const closeRig = (): Promise<void> => rig.api.close();
  return Object.assign(rig, {
    host,
    run: (...args: readonly string[]) => swarmctl(['--host', host, ...args]),
    close: async () => {
      await closeRig();
      await rm(folder, { recursive: true, force: true });
    },
  });
}
