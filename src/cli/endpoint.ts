/** Which manager to talk to: what the flags say, then the environment, then the context in use, then the local socket. */
import { defaultSocketPath } from '../common/local-socket.ts';
import type { ClientOptions, TlsMaterial } from './client.ts';
import { contextNamed, readContexts } from './contexts-file.ts';
import { pemFile } from './pem-file.ts';
import { UsageError } from './usage-error.ts';

/** Values of the flags --host, --context, --tls-ca, --tls-cert and --tls-key. */
export interface EndpointFlags {
  readonly host?: string | undefined;
  readonly context?: string | undefined;
  readonly tlsCa?: string | undefined;
  readonly tlsCert?: string | undefined;
  readonly tlsKey?: string | undefined;
}

export interface Endpoint extends ClientOptions {
  /** What chose it, for people. */
  readonly from: string;
}

export function endpointOf(flags: EndpointFlags): Endpoint {
  if (flags.host !== undefined && flags.context !== undefined) {
    throw new UsageError('--host and --context both name an endpoint: give one of them');
  }
  const tls = tlsOf(flags);
  const chosen = choose(flags);
  return { ...chosen, tls: tls ?? chosen.tls };
}

function choose({ host, context }: EndpointFlags): Endpoint {
  if (host !== undefined) return { host, from: '--host' };
  if (context !== undefined) return { ...contextNamed(readContexts(), context), from: `--context ${context}` };
  for (const name of ['SWARMD_HOST', 'DOCKER_HOST'] as const) {
    const value = process.env[name];
    if (value) return { host: value, from: name };
  }
  const named = process.env['SWARMD_CONTEXT'];
  if (named) return { ...contextNamed(readContexts(), named), from: `SWARMD_CONTEXT=${named}` };
  const contexts = readContexts();
  if (contexts.current !== undefined) {
    return { ...contextNamed(contexts, contexts.current), from: `context ${contexts.current}` };
  }
  return { host: `unix://${defaultSocketPath()}`, from: 'the local socket' };
}

/** PEM texts of the files; all three or none. */
export function tlsOf({ tlsCa, tlsCert, tlsKey }: EndpointFlags): TlsMaterial | undefined {
  if (!tlsCa && !tlsCert && !tlsKey) return undefined;
  if (!tlsCa || !tlsCert || !tlsKey) {
    throw new UsageError('--tls-ca, --tls-cert and --tls-key belong together: give all three');
  }
  return { ca: pemFile('--tls-ca', tlsCa), cert: pemFile('--tls-cert', tlsCert), key: pemFile('--tls-key', tlsKey) };
}
