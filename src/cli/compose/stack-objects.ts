/** The networks, secrets and configs of a stack as the API takes them, with the names and labels that every client of stacks goes by. */
import { readFileSync } from 'node:fs';
import { errorText, SwarmError } from '../../common/errors.ts';
import { UsageError } from '../usage-error.ts';
import { isExternal, type ComposeData, type ComposeFile, type ComposeNetwork } from './file-shape.ts';
import type { Dictionary } from './shape.ts';

export const NAMESPACE_LABEL = 'com.docker.stack.namespace';
export const IMAGE_LABEL = 'com.docker.stack.image';
/** Network of services that name none. */
export const DEFAULT_NETWORK = 'default';

export const stackLabels = (stack: string, labels: Dictionary<string> | undefined): Dictionary<string> => ({
  ...labels,
  [NAMESPACE_LABEL]: stack,
});

/** Name in the swarm of what the file calls `name`. */
export function nameInSwarm(
  stack: string,
  name: string,
  object: { readonly name?: string; readonly external?: { readonly isExternal: boolean; readonly name?: string } },
): string {
  if (isExternal(object)) return object.external?.name ?? object.name ?? name;
  return object.name ?? `${stack}_${name}`;
}

export interface StackNetwork {
  readonly name: string;
  /** What creates it; undefined for one that must be there already. */
  readonly body: object | undefined;
}

/** The networks that services use, in the order of the file. */
export function stackNetworks(stack: string, file: ComposeFile): readonly StackNetwork[] {
  const used = new Set(
    Object.values(file.services ?? {}).flatMap(({ networks }) => {
      const names = Object.keys(networks ?? {});
      return names.length > 0 ? names : [DEFAULT_NETWORK];
    }),
  );
  return [...used].map((internal) => {
    const network: ComposeNetwork = own(file.networks, internal) ?? {};
    const name = nameInSwarm(stack, internal, network);
    return { name, body: isExternal(network) ? undefined : networkBody(stack, name, network) };
  });
}

function networkBody(stack: string, name: string, network: ComposeNetwork): object {
  const { ipam } = network;
  const hasIpam = ipam?.driver !== undefined || (ipam?.config?.length ?? 0) > 0;
  return {
    Name: name,
    Driver: network.driver ?? 'overlay',
    Options: network.driver_opts ?? null,
    Internal: network.internal ?? false,
    Attachable: network.attachable ?? false,
    EnableIPv6: network.enable_ipv6 ?? false,
    Labels: stackLabels(stack, network.labels),
    ...(hasIpam
      ? {
          IPAM: {
            Driver: ipam?.driver ?? '',
            Options: ipam?.options ?? null,
            Config: (ipam?.config ?? []).map(({ subnet, gateway, ip_range: range }) => ({
              ...(subnet === undefined ? {} : { Subnet: subnet }),
              ...(gateway === undefined ? {} : { Gateway: gateway }),
              ...(range === undefined ? {} : { IPRange: range }),
            })),
          },
        }
      : {}),
  };
}

export interface StackData {
  readonly name: string;
  readonly body: { readonly Name: string; readonly Labels: Dictionary<string>; readonly Data?: string };
}

/** Secrets or configs that the file itself brings; external ones are only looked up. */
export function stackData(stack: string, kind: 'secret' | 'config', file: ComposeFile): readonly StackData[] {
  const objects: Dictionary<ComposeData> = (kind === 'secret' ? file.secrets : file.configs) ?? {};
  return Object.entries(objects).flatMap(([internal, data]) => {
    if (isExternal(data)) return [];
    const name = nameInSwarm(stack, internal, data);
    const place = `${kind}s.${internal}`;
    if (data.file === undefined && data.driver === undefined) {
      throw new SwarmError(
        'invalidArgument',
        `${place}: says nothing of its content; add file: PATH, or external: true when it exists already`,
      );
    }
    const body = {
      Name: name,
      Labels: stackLabels(stack, data.labels),
      ...(data.driver === undefined
        ? { Data: contentOf(place, data.file ?? '') }
        : { Driver: { Name: data.driver, Options: data.driver_opts ?? null } }),
      ...(data.template_driver === undefined ? {} : { Templating: { Name: data.template_driver } }),
    };
    return [{ name, body }];
  });
}

function contentOf(place: string, file: string): string {
  try {
    return readFileSync(file).toString('base64');
  } catch (error) {
    throw new UsageError(
      `${place}.file: cannot be read: "${file}": ${errorText(error)}; correct the path, it starts at the folder of the compose file`,
      { cause: error },
    );
  }
}

/** What the writer called so; names such as "constructor" are nothing special. */
export const own = <T>(map: Dictionary<T> | undefined, name: string): T | undefined =>
  map && Object.hasOwn(map, name) ? map[name] : undefined;
