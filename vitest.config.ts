import { defineConfig } from 'vitest/config';

/**
 * A machine that is busy with other things may miss a deadline once; what fails twice is broken. Only unattended runs try
 * again: at a desk a test that is not reliable shall be seen.
 */
const retry = process.env['CI'] ? 1 : 0;

export default defineConfig({
  test: {
    projects: [
      {
        test: {
          name: 'unit',
          retry,
          include: ['test/unit/**/*.test.ts', 'src/raft/test/**/*.test.ts'],
          testTimeout: 20_000,
        },
      },
      {
        test: {
          name: 'cluster',
          retry,
          include: ['test/cluster/**/*.test.ts', 'test/compat/**/*.test.ts'],
          testTimeout: 120_000,
          hookTimeout: 120_000,
          fileParallelism: false,
        },
      },
    ],
  },
});
