import { describe, expect, it } from 'vitest';
import { compare, normalise } from '../../conformance/docker-cli/normalise.ts';
import { withResults } from '../../conformance/docker-cli/report.ts';

const own = { nodeId: 'node1aaaaaaaaaaaaaaaaaaaa', hosts: new Map([['vm', '<HOST>']]) };

describe('what the docker CLI printed', () => {
  it('loses what differs between any two runs', () => {
    const printed = [
      'x-web.1 on vm, vm-2 and node1aaaaaaa',
      'service 7k2n5p8q1r4s7t0u3v6w9x2y5, again 7k2n5p8q1r4s and other a1b2c3d4e5f6',
      'at 2024-05-06T07:08:09.123456789Z, 5 seconds ago, Up 3 minutes ago',
      '10.0.1.5/24 10.77.3.4 *:30005->80/tcp *:18005->80/tcp',
      'overall progress: 1 out of 2 tasks',
      'SWMTKN-1-abc-def  and      blanks',
    ].join('\n');
    expect(normalise(printed, own)).toBe(
      `x-web.1 on <HOST>, vm-2 and <NODE>
service <ID2>, again <ID2> and other <ID3>
at <TIME>, <AGO>, Up <AGO>
<IP> 10.77.3.4 *:<DYN>->80/tcp *:18005->80/tcp
<TOKEN>  and  blanks
`,
    );
  });

  it('is equal, equal but for the words of an error, or different', () => {
    const refused = (why: string): string => `$ docker x\nError response from daemon: ${why}\nrc=1\n`;
    expect(compare(refused('no'), refused('no'))).toBe('pass');
    expect(compare(refused('no'), refused('never'))).toBe('loose');
    expect(compare(refused('no'), 'rc=0\n')).toBe('fail');
    expect(compare(undefined, 'rc=0\n')).toBe('noref');
  });

  it.each(['TIMEOUT: x-a is 1/1', 'SETUP FAILED: docker service create x-a', '!! scenario timed out'])(
    'is nothing to compare with when it says "%s"',
    (line) => {
      const printed = `$ docker x\n${line}\nrc=0\n`;
      expect(compare(printed, printed)).toBe('unusable');
      expect(compare(`$ docker x --label "${line}"\n`, `$ docker x --label "${line}"\n`)).toBe('pass');
    },
  );
});

describe('the table of results', () => {
  const document = (part: string): string =>
    `a\n\n<!-- results with 2 nodes: written by the runner -->\n\n${part}\n\n<!-- end of results -->\n\nb\n`;

  it('takes in what was played now and keeps the rest', () => {
    const first = withResults(document('nothing yet'), 2, [
      { name: '202-b', title: 'two', verdict: 'fail' },
      { name: '201-a', title: 'one', verdict: 'pass' },
      { name: '203-c', title: 'three', verdict: 'skip' },
    ]);
    const table = (result: string): string =>
      [
        '| scenario | what it does | result  |',
        '| -------- | ------------ | ------- |',
        '| 201-a    | one          | equal   |',
        `| 202-b    | two          | ${result.padEnd(7)} |`,
      ].join('\n');
    expect(first).toBe(document(`1 of 2 are equal to the letter.\n\n${table('differs')}`));
    const again = withResults(first, 2, [{ name: '202-b', title: 'two', verdict: 'pass' }]);
    expect(again).toContain('2 of 2 are equal to the letter.');
    expect(() => withResults(document(''), 3, [])).toThrow('results with 3 nodes');
  });
});
