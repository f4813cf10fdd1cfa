/** What may stand in a compose file as a whole. */
import { resolve } from 'node:path';
import type { Field } from './field.ts';
import { service } from './service-shape.ts';
import { flag, labels, list, mapOf, struct, text, value, type Of, type Shape } from './shape.ts';

/** "true", or a map with the name; false says nothing. */
const external = value((field): { readonly isExternal: boolean; readonly name?: string } => {
  if (!field.isMap) return { isExternal: flag.read(field) };
  const { name } = struct({ name: text }).read(field);
  return { isExternal: true, ...(name === undefined ? {} : { name }) };
});

/** An object without settings may be written as nothing at all. */
const orEmpty = <T>(shape: Shape<T>, empty: T): Shape<T> => ({
  ...shape,
  read: (field) => (field.value === null || field.value === undefined ? empty : shape.read(field)),
});

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
const data = struct({
  name: text,
  external,
  file: value((field: Field) => resolve(field.origin.folder, field.text())),
  labels,
  driver: text,
  driver_opts: labels,
  template_driver: text,
});
export type ComposeData = Of<typeof data>;

export const composeFile = struct({
  version: text,
  name: text,
  services: mapOf(service),
  networks: mapOf(orEmpty(network, {})),
  volumes: mapOf(orEmpty(volume, {})),
  secrets: mapOf(orEmpty(data, {})),
  configs: mapOf(orEmpty(data, {})),
});
export type ComposeFile = Of<typeof composeFile>;

export const isExternal = (object: { readonly external?: { readonly isExternal: boolean } }): boolean =>
  object.external?.isExternal === true;
