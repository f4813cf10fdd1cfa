/** What the machine must offer for a test against a real counterpart; a test that cannot run says why in its name. */
import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { describe, it } from 'vitest';

const commandExists = (name: string): boolean => {
  try {
    execFileSync('sh', ['-c', `command -v ${name}`], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
};

/** Whether the kernel makes network devices of a kind; tried in a namespace of its own. */
const kernelHas = (device: string): boolean => {
  const options = device === 'vxlan' ? ['id', '1', 'dstport', '4789'] : [];
  try {
    execFileSync('unshare', ['--net', 'ip', 'link', 'add', 'probe', 'type', device, ...options], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
};

const REQUIREMENTS = {
  root: () => process.getuid?.() === 0 || 'needs root',
  docker: () => commandExists('docker') || 'needs the docker CLI',
  dockerd: () =>
    (commandExists('dockerd') && commandExists('containerd')) || 'needs dockerd (Debian package docker.io)',
  dockerCompose: () => commandExists('docker-compose') || 'needs docker-compose (Debian package docker-compose)',
  ip: () => commandExists('ip') || 'needs the ip command (Debian package iproute2)',
  nft: () => commandExists('nft') || 'needs nft (Debian package nftables)',
  busybox: () => existsSync('/bin/busybox') || 'needs busybox (Debian package busybox-static)',
  vxlan: () => kernelHas('vxlan') || 'needs VXLAN in the kernel',
  ipvs: () => existsSync('/proc/net/ip_vs') || 'needs IPVS in the kernel',
  openssl: () => commandExists('openssl') || 'needs openssl',
  dockerPy: () => {
    try {
      execFileSync('/usr/bin/python3', ['-c', 'import docker'], { stdio: 'ignore' });
      return true;
    } catch {
      return 'needs docker-py (Debian package python3-docker)';
    }
  },
} satisfies Record<string, () => true | string>;

export type Requirement = keyof typeof REQUIREMENTS;

/** Why the machine cannot run something; undefined when it can. */
export function lacking(...needs: readonly Requirement[]): string | undefined {
  for (const need of needs) {
    const answer = REQUIREMENTS[need]();
    if (answer !== true) return typeof answer === 'string' ? answer : `needs ${need}`;
  }
  return undefined;
}

/** `describe` where the machine offers what is needed; else the suite is skipped with the reason in its name. */
export function describeWith(needs: readonly Requirement[], name: string, body: () => void): void {
  const reason = lacking(...needs);
  if (reason === undefined) describe(name, body);
  else describe.skipIf(true)(`${name} (skipped: ${reason})`, body);
}

/** `it` for one test with needs of its own. */
export function itWith(
  needs: readonly Requirement[],
  name: string,
  body: () => Promise<void> | void,
  timeoutMs?: number,
): void {
  const reason = lacking(...needs);
  if (reason === undefined) it(name, body, timeoutMs);
  else it.skipIf(true)(`${name} (skipped: ${reason})`, body);
}
