#!/usr/bin/env node
// Writes docs/configuration.md, docs/cli.md and man/ from the compiled program: npm run reference
import { mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import * as prettier from 'prettier';
import { buildProgram, EXIT_CODES } from '../dist/cli/main.js';
import { processTerminal } from '../dist/cli/terminal.js';
import { VERSION } from '../dist/common/version.js';
import * as options from '../dist/daemon/options.js';
import { manPages } from './man-pages.js';
import { commandPage, configurationPage } from './reference-pages.js';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const docs = join(root, 'docs');
const pages = {
  'configuration.md': configurationPage(options.OPTION_DEFINITIONS, options),
  'cli.md': commandPage(buildProgram(processTerminal), EXIT_CODES),
};
for (const [name, text] of Object.entries(pages)) {
  const file = join(docs, name);
  const settings = await prettier.resolveConfig(file);
  writeFileSync(file, await prettier.format(text, { ...settings, parser: 'markdown' }));
  console.log(`docs/${name}`);
}

const man = join(root, 'man');
const manuals = manPages(buildProgram(processTerminal), EXIT_CODES, VERSION);
mkdirSync(man, { recursive: true });
for (const name of readdirSync(man)) if (!(name in manuals)) rmSync(join(man, name));
for (const [name, text] of Object.entries(manuals)) writeFileSync(join(man, name), text);
console.log(`man: ${Object.keys(manuals).length} pages`);
