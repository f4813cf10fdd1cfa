import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';
import { repositoryRoot } from '../support/repository.ts';

const run = promisify(execFile);

describe('a pipe whose reader goes away', () => {
  it.each([
    ['swarmctl.js', ['completion', 'bash'], '141'],
    ['swarmd.js', ['manager', '--help'], '0'],
  ])('does not make %s print a stack trace', async (program, args, code) => {
    const command = [process.execPath, join(repositoryRoot, 'bin', program), ...args].join(' ');
    // The reader is gone before anything is written.
    const script = `set -o pipefail; { ${command}; echo "code $?" >&2; } | exec true`;
    const { stderr } = await run('bash', ['-c', script]).catch((error: { stderr: string }) => error);
    expect(stderr).toBe(`code ${code}\n`);
  });
});
