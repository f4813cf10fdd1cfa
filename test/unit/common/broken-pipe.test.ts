import { describe, expect, it } from 'vitest';
import { goOnWithoutReader } from '../../../src/common/broken-pipe.ts';

describe('a daemon that nobody reads any more', () => {
  it.each(['EPIPE', 'EIO'])('goes on after %s: the pipe is broken, or the terminal closed', (code) => {
    const before = process.stdout.listeners('error');
    goOnWithoutReader();
    const [added = () => undefined] = process.stdout.listeners('error').filter((one) => !before.includes(one));
    expect(() => added(Object.assign(new Error('write'), { code }))).not.toThrow();
    expect(() => added(Object.assign(new Error('no room'), { code: 'ENOSPC' }))).toThrow('no room');
    for (const stream of [process.stdout, process.stderr]) {
      for (const one of stream.listeners('error')) {
        if (!before.includes(one)) stream.off('error', one as (error: Error) => void);
      }
    }
  });
});
