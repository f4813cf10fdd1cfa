import { readdirSync, readFileSync } from 'node:fs';
import * as prettier from 'prettier';
import { describe, expect, it } from 'vitest';
import { buildProgram, EXIT_CODES } from '../../../src/cli/main.ts';
import { environmentName, flagName, OPTION_DEFINITIONS } from '../../../src/daemon/options.ts';
import { VERSION } from '../../../src/common/version.ts';
import { TestTerminal } from '../../support/cli.ts';
// @ts-expect-error A script without types.
import { manPages } from '../../../scripts/man-pages.js';
// @ts-expect-error A script without types.
import { commandPage, configurationPage } from '../../../scripts/reference-pages.js';

const pages: readonly (readonly [string, string])[] = [
  ['configuration.md', configurationPage(OPTION_DEFINITIONS, { environmentName, flagName }) as string],
  ['cli.md', commandPage(buildProgram(new TestTerminal()), EXIT_CODES) as string],
];

const folder = new URL('../../../man/', import.meta.url);
const manuals = manPages(buildProgram(new TestTerminal()), EXIT_CODES, VERSION) as Readonly<Record<string, string>>;

describe('the reference', () => {
  it('has a manual page for every command, as the program knows it (else: npm run reference)', () => {
    expect(readdirSync(folder).toSorted()).toEqual(Object.keys(manuals).toSorted());
    for (const [name, text] of Object.entries(manuals)) {
      expect(readFileSync(new URL(name, folder), 'utf8'), name).toBe(text);
    }
  });

  it.each(pages)('docs/%s says what the program knows (else: npm run reference)', async (name, text) => {
    const file = new URL(`../../../docs/${name}`, import.meta.url);
    const settings = await prettier.resolveConfig(file.pathname);
    expect(readFileSync(file, 'utf8')).toBe(await prettier.format(text, { ...settings, parser: 'markdown' }));
  });
});
