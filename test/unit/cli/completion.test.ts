import { execFileSync } from 'node:child_process';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { completionScript, SHELLS } from '../../../src/cli/completion.ts';
import { cliRig } from '../../support/cli.ts';

let rig: Awaited<ReturnType<typeof cliRig>>;
beforeAll(async () => {
  rig = await cliRig();
  await rig.run('service', 'create', '--detach', '--name', 'web', 'host', 'true');
  await rig.run('service', 'create', '--detach', '--name', 'worker', 'host', 'true');
});
afterAll(() => rig.close());

const complete = async (...words: readonly string[]): Promise<string> =>
  (await rig.run('__complete', '--', '--host', rig.host, ...words)).stdout.trim().replaceAll('\n', ' ');

describe('completion', () => {
  it.each([
    [['serv'], 'service'],
    [['service', 'i'], 'inspect'],
    [['service', 'inspect', 'w'], 'web worker'],
    [['service', 'scale', 'wo'], 'worker'],
    [['node', 'update', ''], 'host1'],
    [['service', 'create', '--strategy', ''], 'binpack random spread'],
    [['service', 'ls', '--q'], '--quiet'],
    [['service', 'ls', '--output', 'j'], 'json'],
    [['completion', ''], 'bash fish zsh'],
    [['swarm', 'join-token', 'm'], 'manager'],
  ])('of %j is %s', async (words, found) => {
    expect(await complete(...words)).toBe(found);
  });

  it('is silent when no manager can be reached', async () => {
    const answer = await rig.run('__complete', '--', '--host', 'unix:///nonexistent', 'service', 'inspect', '');
    expect(answer).toEqual({ code: 0, stdout: '', stderr: '' });
  });

  it('works in a real bash that sourced the script', () => {
    const script = `
      swarmctl() { local IFS=' '; printf '%s\\n' "asked: $*"; }
      source /dev/stdin <<'END'
${completionScript('bash')}END
      COMP_WORDS=(swarmctl service inspect "we"); COMP_CWORD=3
      _swarmctl
      printf '%s|' "\${COMPREPLY[@]}"
      complete -p swarmctl`;
    const text = execFileSync('bash', ['--norc', '-c', script], { encoding: 'utf8' });
    expect(text).toContain('asked: __complete -- service inspect we|');
    expect(text).toContain('complete -o default -F _swarmctl swarmctl');
  });

  it.each(SHELLS)('has a script for %s that asks swarmctl itself', async (shell) => {
    const { stdout } = await rig.run('completion', shell);
    expect(stdout).toBe(completionScript(shell));
    expect(stdout).toContain('swarmctl __complete --');
  });
});
