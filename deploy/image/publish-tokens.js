#!/usr/bin/env node
// Waits until this node is a manager and writes the join tokens into a folder, one file per role, mode 0600.
//   node publish-tokens.js FOLDER
import { chmodSync, renameSync, writeFileSync } from 'node:fs';
import { request } from 'node:http';
import { join } from 'node:path';

const folder = process.argv[2] ?? '/tokens';
const socketPath = (process.env.SWARMD_API ?? 'unix:///run/swarmd.sock').split(',')[0].replace(/^unix:\/\//, '');
const POLL_MS = 200;

for (;;) {
  try {
    const { JoinTokens } = await swarm();
    chmodSync(folder, 0o700);
    publish('worker', JoinTokens.Worker);
    publish('manager', JoinTokens.Manager);
    break;
  } catch {
    // Not a manager yet, or without a leader: later.
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
}

/** Readers never see half a token. */
function publish(role, token) {
  const file = join(folder, role);
  writeFileSync(`${file}.new`, `${token}\n`, { mode: 0o600 });
  renameSync(`${file}.new`, file);
}

function swarm() {
  return new Promise((resolve, reject) => {
    const call = request({ socketPath, path: '/swarm', timeout: 5000 }, (response) => {
      let text = '';
      response.setEncoding('utf8');
      response.on('data', (part) => (text += part));
      response.on('end', () =>
        response.statusCode === 200 ? resolve(JSON.parse(text)) : reject(new Error(`status ${response.statusCode}`)),
      );
    });
    call.on('timeout', () => call.destroy(new Error('no answer')));
    call.on('error', reject);
    call.end();
  });
}
