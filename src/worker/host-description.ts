/** What every driver says of the machine, in Docker's words. */
import os from 'node:os';
import type { NodeDescription, PluginDescription } from '../proto/generated/docker/swarmkit/v1/types.ts';

export interface HostDescriptionOptions {
  /** Version of the thing that runs the tasks. */
  readonly engineVersion: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly plugins: readonly PluginDescription[];
  /** @default the machine's name */
  readonly hostname?: string;
}

const ARCHITECTURES: Readonly<Record<string, string>> = {
  x64: 'x86_64',
  arm64: 'aarch64',
  arm: 'armv7l',
  ia32: 'i686',
};

export function describeHost(options: HostDescriptionOptions): NodeDescription {
  return {
    hostname: options.hostname ?? os.hostname(),
    platform: { architecture: ARCHITECTURES[process.arch] ?? process.arch, os: process.platform },
    resources: { nanoCpus: os.cpus().length * 1e9, memoryBytes: os.totalmem(), generic: [] },
    engine: { engineVersion: options.engineVersion, labels: { ...options.labels }, plugins: options.plugins },
    tlsInfo: undefined,
    fips: false,
    csiInfo: [],
  };
}
