/** What the machine must offer for a bench. */
import { execFileSync } from 'node:child_process';

const exists = (command: string): boolean => {
  try {
    execFileSync('sh', ['-c', `command -v ${command}`], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
};

const missing = (commands: readonly string[]): string | undefined => {
  if (process.getuid?.() !== 0) return 'needs root';
  const command = commands.find((name) => !exists(name));
  return command && `needs the command ${command}`;
};

/** Why no network namespaces can be made here; undefined when they can. */
export const missingForNamespaces = (): string | undefined => missing(['ip', 'nsenter']);

/** Why no Docker Engine of its own can be started here. */
export const missingForDocker = (): string | undefined => missing(['ip', 'nsenter', 'docker', 'dockerd', 'containerd']);

/** Why there is no etcd to compare with. */
export const missingForEtcd = (): string | undefined =>
  ['etcd', 'openssl'].every(exists) ? undefined : 'needs the commands etcd (Debian package etcd-server) and openssl';
