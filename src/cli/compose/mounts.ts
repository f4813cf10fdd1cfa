/** Volumes of a service: "data:/var/lib", "./conf:/etc/app:ro", or a map. */
import { homedir } from 'node:os';
import { isAbsolute, resolve } from 'node:path';
import type { Field } from './field.ts';
import { size } from './quantities.ts';
import { flag, keyedList, oneOf, struct, text, type Of, type Shape } from './shape.ts';
import { UNUSED } from './unused-fields.ts';

const longForm = struct({
  type: oneOf('volume', 'bind', 'tmpfs', 'npipe', 'cluster'),
  source: text,
  target: text,
  read_only: flag,
  consistency: text,
  bind: struct({ propagation: text }, { unused: UNUSED.bindMount, isOpen: true }),
  volume: struct({ nocopy: flag, subpath: text }, { isOpen: true }),
  tmpfs: struct({ size }, { unused: UNUSED.tmpfsMount, isOpen: true }),
});

export type ComposeMount = Of<typeof longForm> & { readonly target: string };

const listed: Shape<readonly ComposeMount[]> = keyedList(
  (field) => [withOwnOptions(field.isMap ? longMount(field) : shortMount(field), field)],
  (mount) => mount.target,
);

/** Several files give the mounts in the order of their targets, a single one in its own. */
const byTarget = (all: readonly ComposeMount[]): readonly ComposeMount[] =>
  all.toSorted((a, b) => (a.target < b.target ? -1 : a.target > b.target ? 1 : 0));

export const mounts: Shape<readonly ComposeMount[]> = {
  read: listed.read,
  merge: (earlier, later) => byTarget(listed.merge(earlier, later)),
  kept: byTarget,
};

/** Options are those of the type of the mount. */
function withOwnOptions(mount: ComposeMount, field: Field): ComposeMount {
  for (const type of ['bind', 'volume', 'tmpfs'] as const) {
    if (mount[type] && mount.type !== type)
      throw field.wrong(`a ${mount.type} has no ${type} options`, 'leave them out');
  }
  return mount;
}

function longMount(field: Field): ComposeMount {
  const mount = longForm.read(field);
  const { target, type } = mount;
  if (target === undefined) throw field.wrong('has no target', 'name the path inside the container with target: /data');
  if (type === undefined) throw field.wrong('has no type', 'add type: volume, bind or tmpfs');
  if (type === 'bind' && mount.source === undefined) throw field.wrong('has no source', 'name the path to mount');
  if (type === 'tmpfs' && mount.source !== undefined) {
    throw field.at('source', mount.source).wrong('a tmpfs has none', 'leave it out');
  }
  return { ...mount, target, ...(type === 'bind' ? { source: hostPath(mount.source ?? '', field) } : {}) };
}

const PROPAGATIONS = ['private', 'rprivate', 'shared', 'rshared', 'slave', 'rslave'];

function shortMount(field: Field): ComposeMount {
  const spec = field.text();
  const [first = '', second, options = '', ...more] = spec.split(':');
  if (first === '' || second === '' || more.length > 0) {
    throw field.wrong(`"${spec}" is not a volume`, 'write NAME:/path, ./folder:/path:ro or /path');
  }
  if (second === undefined) return { type: 'volume', target: first };
  const isBind = /^[./~]/.test(first);
  let mount: ComposeMount = isBind
    ? { type: 'bind', source: hostPath(first, field), target: second }
    : { type: 'volume', source: first, target: second };
  for (const option of options.split(',').filter((word) => word !== '')) {
    if (option === 'ro') mount = { ...mount, read_only: true };
    else if (option === 'nocopy') mount = { ...mount, volume: { nocopy: true } };
    else if (PROPAGATIONS.includes(option)) mount = { ...mount, bind: { propagation: option } };
    else if (!['rw', 'z', 'Z', 'cached', 'consistent', 'delegated'].includes(option)) {
      field.warn(`the option "${option}" is not known and left out`, 'use ro, rw or nocopy');
    }
  }
  return mount;
}

function hostPath(path: string, field: Field): string {
  if (path.startsWith('~')) return `${homedir()}${path.slice(1)}`;
  return isAbsolute(path) ? path : resolve(field.origin.folder, path);
}
