#!/usr/bin/env node
// Makes a clone ready: installs what the lock file names (only when it changed) and compiles (only what changed).
// `npm start` and `npm test` call it first. Two calls at once wait for each other. A clone that its caller may not change is used as it is.
import { createHash } from 'node:crypto';
import { spawnSync } from 'node:child_process';
import { accessSync, constants, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const stampFile = join(root, 'node_modules', '.swarmd-setup');
const lockFile = join(root, '.setup.lock');
const wanted = createHash('sha256')
  .update(readFileSync(join(root, 'package-lock.json')))
  .update(`${process.platform} ${process.arch} ${process.versions.modules}`)
  .digest('hex');
const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);

if (major < 20 || (major === 20 && minor < 19)) {
  console.error(`swarmd needs Node.js 20.19 or newer; this is ${process.version}.`);
  process.exit(2);
}

if (!isWritable()) {
  if (isInstalled() && existsSync(join(root, 'dist'))) process.exit(0);
  fail(`${root} is not set up for this Node.js, and you may not write there: run "npm run build" as its owner`);
}

process.on('SIGINT', () => process.exit(130));
process.on('SIGTERM', () => process.exit(143));
await takeLock();
try {
  install();
  compile();
} finally {
  rmSync(lockFile, { force: true });
}

function isWritable() {
  try {
    accessSync(root, constants.W_OK);
    return true;
  } catch {
    return false;
  }
}

function isInstalled() {
  return existsSync(stampFile) && readFileSync(stampFile, 'utf8') === wanted;
}

function install() {
  if (isInstalled()) return;
  console.error('swarmd: installing packages (once; takes a moment) …');
  // Development packages are wanted even where NODE_ENV says production: the compiler is one of them.
  const args = ['--include=dev', '--no-audit', '--no-fund', '--loglevel=error'];
  if (npm(['ci', ...args]) !== 0) {
    console.error('swarmd: npm ci refused the lock file, trying npm install …');
    if (npm(['install', ...args]) !== 0) fail('the packages could not be installed; the messages above say why');
  }
  mkdirSync(dirname(stampFile), { recursive: true });
  writeFileSync(stampFile, wanted);
}

function compile() {
  const tsc = join(root, 'node_modules', 'typescript', 'bin', 'tsc');
  const { status } = spawnSync(process.execPath, [tsc, '-b'], { cwd: root, stdio: ['ignore', 2, 2] });
  if (status !== 0) fail('the sources could not be compiled; the messages above say where');
}

/** Runs the very npm that runs this script, so that its version and settings are the user's. */
function npm(args) {
  const cli = process.env.npm_execpath;
  const [command, ...rest] = cli?.endsWith('js') ? [process.execPath, cli, ...args] : ['npm', ...args];
  return spawnSync(command, rest, { cwd: root, stdio: ['ignore', 2, 2] }).status;
}

async function takeLock() {
  let told = false;
  for (;;) {
    try {
      writeFileSync(lockFile, String(process.pid), { flag: 'wx' });
      process.on('exit', () => rmSync(lockFile, { force: true }));
      return;
    } catch (error) {
      if (error.code !== 'EEXIST') throw error;
    }
    if (!isAlive(readOwner())) {
      rmSync(lockFile, { force: true });
      continue;
    }
    if (!told) console.error('swarmd: another set-up is running in this folder, waiting for it …');
    told = true;
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
}

function readOwner() {
  try {
    return Number(readFileSync(lockFile, 'utf8'));
  } catch {
    return 0;
  }
}

function isAlive(pid) {
  if (!pid) return false;
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error.code === 'EPERM';
  }
}

function fail(why) {
  rmSync(lockFile, { force: true });
  console.error(`swarmd: ${why}`);
  process.exit(1);
}
