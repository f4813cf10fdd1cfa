#!/usr/bin/env node
// House rules a linter does not know: which room may import which, what must stay deterministic, and that no path of
// somebody's machine is left in the sources. Prints each breach as file:line and exits 1 when there is one.
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, normalize, relative } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const breaches = [];

/** Rooms and what they may import besides themselves; longest prefix wins. */
const ROOMS = {
  'src/common': ['src/proto'],
  'src/proto': [],
  'src/identity': ['src/common', 'src/proto'],
  'src/manager/store': ['src/common', 'src/proto'],
  'src/manager/placement': ['src/common', 'src/proto'],
  'src/manager/consensus': ['src/common', 'src/proto', 'src/identity', 'src/manager/store', 'raft-ts'],
  'src/manager/control': ['src/common', 'src/proto', 'src/identity', 'src/manager/store', 'src/manager/placement'],
  'src/manager/allocator': ['src/common', 'src/proto', 'src/manager/store', 'src/manager/placement'],
  'src/manager/orchestrator': ['src/common', 'src/proto', 'src/manager/store', 'src/manager/placement'],
  'src/manager/scheduler': ['src/common', 'src/proto', 'src/manager/store', 'src/manager/placement'],
  'src/manager/dispatcher': ['src/common', 'src/proto', 'src/manager/store', 'src/manager/placement'],
  'src/manager/logs': ['src/common', 'src/proto', 'src/manager/store'],
  'src/manager/members': ['src/common', 'src/proto', 'src/manager/store', 'src/manager/consensus'],
  'src/manager/ca': ['src/common', 'src/proto', 'src/identity', 'src/manager/store'],
  'src/manager': ['src/common', 'src/proto', 'src/identity', 'src/manager'],
  'src/worker': ['src/common', 'src/proto', 'src/identity'],
  'src/api': ['src/common', 'src/proto', 'src/manager/control', 'src/manager/store', 'src/manager/placement'],
  'src/cli': ['src/common'],
  'src/daemon': ['src'],
};
/** Rooms whose decisions must depend on nothing but their input. */
const DETERMINISTIC = [
  'src/raft/src',
  'src/manager/store',
  'src/manager/scheduler',
  'src/manager/orchestrator',
  'src/manager/placement',
  'src/manager/allocator',
];
/** Where raft-ts touches the machine on purpose. */
const EXEMPT = ['src/raft/src/log', 'src/raft/src/node', 'src/raft/src/testing', 'src/raft/src/snapshot'];
const NONDETERMINISTIC =
  /\bDate\.now\b|\bnew Date\(\)|\bMath\.random\b|\bset(?:Timeout|Interval|Immediate)\(|\bperformance\.|from 'node:(?:fs|net|tls|dgram|worker_threads|os|child_process)|\brandom(?:Bytes|UUID|Int)\b|\bprocess\.hrtime\b/;
/** A home folder, or the folder of this checkout. */
const namesMachine = (line) => /\/(?:home|Users|root)\//.test(line) || line.includes(`${root}/`);

for (const file of sources('src')) {
  const text = readFileSync(join(root, file), 'utf8');
  const room = Object.keys(ROOMS)
    .filter((name) => file.startsWith(`${name}/`))
    .sort((a, b) => b.length - a.length)[0];
  text.split('\n').forEach((line, i) => {
    const at = `${file}:${i + 1}`;
    if (namesMachine(line)) breaches.push(`${at} names a path of some machine`);
    const isPure = DETERMINISTIC.some((d) => file.startsWith(`${d}/`)) && !EXEMPT.some((d) => file.startsWith(`${d}/`));
    if (isPure && NONDETERMINISTIC.test(line))
      breaches.push(`${at} is not deterministic: take the clock, randomness or I/O as an argument`);
    const target = /(?:from|import\()\s*'([^']+)'/.exec(line)?.[1];
    if (!target) return;
    const imported = target.startsWith('.') ? relative(root, normalize(join(root, dirname(file), target))) : target;
    if (file.startsWith('src/raft/')) {
      if (!imported.startsWith('src/raft/') && !imported.startsWith('node:'))
        breaches.push(`${at} raft-ts must stand alone, but imports ${target}`);
    } else if (room && (imported.startsWith('src/') || imported === 'raft-ts')) {
      const allowed = [room, ...ROOMS[room]];
      if (!allowed.some((name) => imported === name || imported.startsWith(`${name}/`)) && room !== 'src/daemon') {
        breaches.push(`${at} ${room} may not import ${imported}`);
      }
    }
  });
}

for (const breach of breaches) console.error(breach);
console.error(breaches.length === 0 ? 'house rules kept' : `${breaches.length} house rules broken`);
process.exit(breaches.length === 0 ? 0 : 1);

function sources(folder) {
  return readdirSync(join(root, folder), { withFileTypes: true, recursive: true })
    .filter((entry) => entry.isFile() && entry.name.endsWith('.ts'))
    .map((entry) => relative(root, join(entry.parentPath ?? entry.path, entry.name)))
    .filter((file) => !/(^|\/)(dist|node_modules|generated|test)\//.test(file));
}
