/** What may stand in a compose file as a whole. */
import { resolve } from 'node:path';
import type { Field } from './field.ts';
import { service } from './service-shape.ts';
import { flag, labels, list, mapOf, struct, text, value, type Of, type Shape } from './shape.ts';
import { UNUSED } from './unused-fields.ts';

/** "true", or a map with the name; false says nothing. */
const external = value((field): { readonly isExternal: boolean; readonly name?: string } => {
  if (!field.isMap) return { isExternal: flag.read(field) };
  const { name } = struct({ name: text }).read(field);
  return { isExternal: true, ...(name === undefined ? {} : { name }) };
});

interface Declared {
  readonly name?: string;
  readonly external?: Of<typeof external>;
}

/**
 * An object of the swarm: without settings it may be written as nothing at all, one that is there already has those of
 * `itsOwn` from whoever made it, and what a later file says of it is all that counts.
 */
function declared<T extends Declared>(shape: Shape<T>, empty: T, itsOwn: readonly (keyof T & string)[] = []): Shape<T> {
  const read = (field: Field): T => {
    if (field.value === null || field.value === undefined) return empty;
    const object = shape.read(field);
    if (object.name !== undefined && object.external?.name !== undefined) {
      throw field.at('external').wrong('names it a second time', 'write external: true beside name');
    }
    const given = isExternal(object) ? itsOwn.find((key) => object[key] !== undefined) : undefined;
    if (given !== undefined) throw field.at(given).wrong('is settled already for what is external', 'leave it out');
    return object;
  };
  return value(read);
}

const network = struct({
  name: text,
  external,
  driver: text,
  driver_opts: labels,
  internal: flag,
  attachable: flag,
  enable_ipv6: flag,
  labels,
  ipam: struct({
    driver: text,
    options: labels,
    config: list((field) => struct({ subnet: text, gateway: text, ip_range: text }).read(field)),
  }),
});
export type ComposeNetwork = Of<typeof network>;

const volume = struct({ name: text, external, driver: text, driver_opts: labels, labels });
export type ComposeVolume = Of<typeof volume>;

/** A secret or a config. */
const data = struct(
  {
    name: text,
    external,
    file: value((field: Field) => resolve(field.origin.folder, field.text())),
    labels,
    driver: text,
    driver_opts: labels,
    template_driver: text,
  },
  { unused: UNUSED.data },
);
export type ComposeData = Of<typeof data>;

/** Files of version 1 and 2 mean other things with the same words. */
const version = value((field) => {
  const found = field.text();
  if (!/^3(\.\d+)?$/.test(found)) throw field.wrong(`"${found}" cannot be deployed`, 'write "3.8", or leave it out');
  return found;
});

export const composeFile = struct(
  {
    version,
    services: mapOf(service),
    networks: mapOf(declared(network, {})),
    volumes: mapOf(declared(volume, {}, ['driver', 'driver_opts', 'labels'])),
    secrets: mapOf(declared(data, {})),
    configs: mapOf(declared(data, {})),
  },
  { unused: UNUSED.file },
);
export type ComposeFile = Of<typeof composeFile>;

export const isExternal = ({ external: found }: Declared): boolean => found?.isExternal === true;
