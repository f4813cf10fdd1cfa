import { readFileSync } from 'node:fs';
import * as prettier from 'prettier';
import { describe, expect, it } from 'vitest';
import { buildProgram, EXIT_CODES } from '../../../src/cli/main.ts';
import { environmentName, flagName, OPTION_DEFINITIONS } from '../../../src/daemon/options.ts';
import { TestTerminal } from '../../support/cli.ts';
// @ts-expect-error A script without types.
import { commandPage, configurationPage } from '../../../scripts/reference-pages.js';

const pages: readonly (readonly [string, string])[] = [
  ['configuration.md', configurationPage(OPTION_DEFINITIONS, { environmentName, flagName }) as string],
  ['cli.md', commandPage(buildProgram(new TestTerminal()), EXIT_CODES) as string],
];

describe('the reference', () => {
  it.each(pages)('docs/%s says what the program knows (else: npm run reference)', async (name, text) => {
    const file = new URL(`../../../docs/${name}`, import.meta.url);
    const settings = await prettier.resolveConfig(file.pathname);
    expect(readFileSync(file, 'utf8')).toBe(await prettier.format(text, { ...settings, parser: 'markdown' }));
  });
});
