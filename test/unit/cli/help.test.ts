import type { Command } from 'commander';
import { describe, expect, it } from 'vitest';
import { EXAMPLES, pathOf } from '../../../src/cli/examples.ts';
import { buildProgram } from '../../../src/cli/main.ts';
import { swarmctl, TestTerminal } from '../../support/cli.ts';

const commandsOf = (command: Command): readonly Command[] =>
  command.commands.filter((c) => !c.name().startsWith('_')).flatMap((c) => [c, ...commandsOf(c)]);
const program = buildProgram(new TestTerminal());
const paths = commandsOf(program).map(pathOf);

describe('help of swarmctl', () => {
  it.each(paths)('of "%s" tells what it does and shows an example', async (path) => {
    const { code, stdout } = await swarmctl([...path.split(' '), '--help']);
    expect(code).toBe(0);
    expect(stdout).toContain('Usage: swarmctl');
    expect(stdout).toContain('Examples:\n  ');
  });

  it('has examples for commands that exist, and only with flags they know', () => {
    for (const [path, lines] of Object.entries(EXAMPLES)) {
      const command = commandsOf(program).find((c) => pathOf(c) === path);
      expect(command, path).toBeDefined();
      for (const line of lines) {
        const words = line.slice(line.indexOf('swarmctl')).split(' ');
        expect(words.slice(0, 2).join(' '), line).toBe(`swarmctl ${path.split(' ')[0]}`);
        const flags = words.filter((word) => word.startsWith('--')).map((word) => word.split('=')[0]);
        const known = [...(command?.options ?? []), ...program.options].map((o) => o.long);
        // What stands behind the image belongs to the task.
        for (const flag of path === 'service create' ? [] : flags) {
          if (flag !== '--help') expect(known, line).toContain(flag);
        }
      }
    }
  });

  it('goes to standard error with the code of wrong usage when no command is given', async () => {
    const { code, stdout, stderr } = await swarmctl([]);
    expect([code, stdout]).toEqual([2, '']);
    expect(stderr).toContain('Exit codes: 0 done, 1 failed, 2 wrong usage, 3 not found');
  });

  it('offers the command that was probably meant', async () => {
    const { code, stderr } = await swarmctl(['servce', 'ls']);
    expect(code).toBe(2);
    expect(stderr).toContain('Did you mean service?');
  });
});
