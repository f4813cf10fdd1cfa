/** The data files of etcd-io/raft and our own in the same language must be reproduced byte for byte. */
import { readFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { describe, expect, it } from 'vitest';
import { describeDifference } from '../src/testing/conformance/difference.ts';
import { findDataFiles } from '../src/testing/conformance/find-files.ts';
import { familyOf, runDataFile } from '../src/testing/conformance/run-file.ts';
import { runConformance } from '../src/testing/conformance/runner.ts';

const data = join(import.meta.dirname, 'data');

describe('conformance data', () => {
  for (const file of findDataFiles(data)) {
    it(`reproduces ${relative(data, file)}`, () => {
      const failures = runDataFile(familyOf(file), readFileSync(file, 'utf8'));
      const report = failures.map((each) => `line ${each.line}\n${describeDifference(each.expected, each.actual)}`);
      expect(report.join('\n')).toBe('');
    });
  }
});

describe('conformance runner', () => {
  it('ends with the number of files passed and failed', () => {
    const lines: string[] = [];
    expect(runConformance([data], (line) => lines.push(line))).toBe(0);
    expect(lines).toEqual([`${findDataFiles(data).length} passed, 0 failed`]);
  });

  it('refuses wrong usage with exit code 2', () => {
    expect(runConformance([], () => undefined)).toBe(2);
    expect(runConformance([join(data, 'missing')], () => undefined)).toBe(2);
  });

  it('reports a differing line and stays in step with the directives after it', () => {
    const text =
      'add-nodes 1 voters=(1) index=3\n----\nok\n\nraft-state\n----\n1: StateFollower (Voter) Term:0 Lead:0\n';
    const failures = runDataFile('interaction', text);
    expect(failures.map((each) => each.line)).toEqual([1]);
  });
});

describe('script language', () => {
  const run = (text: string): string => {
    const failures = runDataFile('interaction', text);
    return failures.map((each) => each.actual).join('');
  };

  it('names the log levels when given another one', () => {
    expect(run('log-level loud\n----\n?\n')).toBe('log levels must be either of [DEBUG INFO WARN ERROR FATAL NONE]\n');
  });

  it('refuses an unknown command', () => {
    expect(run('sing\n----\n?\n')).toBe('unknown command\n');
  });

  it('refuses a start at index 1', () => {
    expect(run('add-nodes 1 voters=(1) index=1\n----\n?\n')).toBe('index must be specified as > 1 due to bootstrap\n');
  });

  it('returns an error even when nothing else is printed', () => {
    expect(run('log-level none\n----\nok\n\nadd-nodes 1\n----\nok\n\npropose 1 x\n----\n?\n')).toBe(
      'raft proposal dropped\n',
    );
  });

  it('allows blank lines in an output between double separators', () => {
    expect(run('log-level none\n----\n----\nok\n----\n----\n\nraft-state\n----\nok\n')).toBe('');
  });

  it('joins lines that end with a backslash', () => {
    expect(run('log-level \\\n  none\n----\nok\n')).toBe('');
  });

  it('allows one operation only in an old configuration change', () => {
    const start = 'log-level none\n----\nok\n\nadd-nodes 1 voters=(1) index=3\n----\nok\n\n';
    expect(run(`${start}propose-conf-change 1 v1=true\nv2 v3\n----\n?\n`)).toBe(
      'v1 conf change can only have one operation and no transition\n',
    );
  });

  it('knows the states of a quorum without voters', () => {
    expect(runDataFile('quorum', 'committed\n----\n<empty majority quorum>∞\n')).toEqual([]);
  });

  it('refuses values that do not match the voters', () => {
    const [failure] = runDataFile('quorum', 'vote cfg=(1,2) votes=(y)\n----\n?\n');
    expect(failure?.actual).toContain('error: mismatched input (explicit or _) for voters');
  });

  it('refuses operations it does not know', () => {
    const actual = ['v', 'x1'].map((token) => runDataFile('confchange', `simple\n${token}\n----\n?\n`)[0]?.actual);
    expect(actual).toEqual(['unknown token v\n', 'unknown input: x1\n']);
  });
});
