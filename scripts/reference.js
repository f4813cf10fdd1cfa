#!/usr/bin/env node
// Writes docs/configuration.md and docs/cli.md from the compiled program: npm run reference
import { writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import * as prettier from 'prettier';
import { buildProgram, EXIT_CODES } from '../dist/cli/main.js';
import { processTerminal } from '../dist/cli/terminal.js';
import * as options from '../dist/daemon/options.js';
import { commandPage, configurationPage } from './reference-pages.js';

const docs = join(dirname(dirname(fileURLToPath(import.meta.url))), 'docs');
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
