#!/usr/bin/env node
// Copies what a node needs at run time into a folder: the compiled program and the packages that are not for development.
//   node deploy/image/pack.js FOLDER
import { cpSync, existsSync, lstatSync, readFileSync, symlinkSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = dirname(dirname(dirname(fileURLToPath(import.meta.url))));
const target = process.argv[2];
if (!target) fail('name the folder to copy to');
if (!existsSync(join(root, 'dist', 'daemon', 'main.js')))
  fail('the checkout is not set up yet: run "npm run build" in it first');

const programs = ['swarmd', 'swarmctl'];
for (const path of ['dist', 'package.json', 'LICENSE', 'deploy/demo', 'deploy/image', 'src/raft/package.json'])
  copy(path);
copy('src/raft/dist');
for (const name of programs) {
  copy(`bin/${name}.js`);
  symlinkSync(`${name}.js`, join(target, 'bin', name));
}

const { packages } = JSON.parse(readFileSync(join(root, 'package-lock.json'), 'utf8'));
for (const [path, { dev, devOptional, link, optional }] of Object.entries(packages)) {
  if (!path.startsWith('node_modules/') || dev || devOptional) continue;
  // A package inside another one came along with it.
  if (path.indexOf('node_modules/', 1) > 0) continue;
  if (existsSync(join(root, path))) copy(path);
  else if (!optional && !link) fail(`${path} is missing: run "npm run build" in the checkout first`);
}

function copy(path) {
  const from = join(root, path);
  const isLink = lstatSync(from).isSymbolicLink();
  if (isLink) symlinkSync(relative(dirname(path), 'src/raft'), join(target, path));
  else
    cpSync(from, join(target, path), {
      recursive: true,
      filter: (file) => !/\.(map|tsbuildinfo|d\.ts|md)$/i.test(file),
    });
}

function fail(why) {
  console.error(`pack: ${why}`);
  process.exit(1);
}
