/** Facts about the machine, for `docker info` and `docker version`. */
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { cpus, hostname, machine, release, totalmem } from 'node:os';
import type { SystemInfo } from '../api/ports.ts';
import { VERSION } from '../common/version.ts';
import type { DaemonOptions } from './options.ts';

export function systemInfo(settings: DaemonOptions, dataDir: string): SystemInfo {
  return {
    id: createHash('sha256').update(`${hostname()}\0${dataDir}`).digest('hex').slice(0, 32),
    hostname: settings.name,
    version: VERSION,
    gitCommit: process.env['SWARMD_COMMIT'] ?? '',
    buildTime: '',
    kernelVersion: release(),
    operatingSystem: osName(),
    osType: 'linux',
    architecture: machine(),
    cpus: cpus().length,
    memoryBytes: totalmem(),
    dataDir,
    labels: settings.label,
    runtime: settings.runtime,
  };
}

function osName(): string {
  try {
    return /^PRETTY_NAME="?([^"\n]*)"?/m.exec(readFileSync('/etc/os-release', 'utf8'))?.[1] ?? 'Linux';
  } catch {
    return 'Linux';
  }
}
