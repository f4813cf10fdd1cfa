import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { cliRig, swarmctl, TestTerminal } from '../../support/cli.ts';

let rig: Awaited<ReturnType<typeof cliRig>>;
beforeAll(async () => {
  rig = await cliRig();
});
afterAll(() => rig.close());

describe('network rm', () => {
  it('asks before it removes the ingress network, and takes silence as a no', async () => {
    const remove = async (terminal: ConstructorParameters<typeof TestTerminal>[0], ...flags: readonly string[]) => {
      await rig.call('POST', '/networks/create', { Name: 'mesh', Driver: 'overlay', Ingress: true });
      await rig.run('network', 'create', 'plain');
      const args = ['--host', rig.host, 'network', 'rm', ...flags, 'mesh', 'plain'];
      return swarmctl(args, new TestTerminal(terminal));
    };
    const kept = {
      code: 130,
      stdout: 'plain\n',
      stderr: 'swarmctl: network mesh was not removed: answer with y, or give --force\n',
    };
    const asked: string[] = [];
    const answer = (isYes: boolean) => (question: string) => Promise.resolve(asked.push(question) > 0 && isYes);
    expect(await remove({ confirm: answer(false) })).toEqual(kept);
    expect(asked).toEqual(['Remove mesh? No node forwards published ports until there is a new ingress network.']);
    expect(await remove({})).toEqual(kept);
    expect(await remove({ line: () => Promise.resolve('n') })).toEqual(kept);
    const removed = { code: 0, stdout: 'mesh\nplain\n', stderr: '' };
    expect(await remove({ confirm: answer(true) })).toEqual(removed);
    expect(await remove({ line: () => Promise.resolve('y') })).toEqual(removed);
    expect(await remove({ confirm: answer(false) }, '--force')).toEqual(removed);
    expect(asked).toHaveLength(2);
  });
});
