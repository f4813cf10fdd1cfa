/** `--external-ca`: authorities outside of the swarm that sign its certificates. */
import type { Command } from 'commander';
import { collect, listFlag, type Flags } from '../../context.ts';
import { UsageError } from '../../usage-error.ts';

/** As the API takes it. */
interface ExternalCaObject {
  readonly Protocol: string;
  readonly URL: string;
  readonly Options?: Readonly<Record<string, string>>;
  /** PEM; empty: the root the swarm has. */
  readonly CACert: string;
}

export const addExternalCa = (command: Command): Command =>
  command.option(
    '--external-ca <protocol=cfssl,url=URL>',
    'authority outside of the swarm that signs certificates; may be repeated',
    collect,
  );

/** @param root PEM of the root they sign for. Undefined when the flag is not given. Throws UsageError. */
export function externalCas(flags: Flags, root = ''): readonly ExternalCaObject[] | undefined {
  return listFlag(flags, 'externalCa')?.map((text) => externalCa(text, root));
}

function externalCa(given: string, root: string): ExternalCaObject {
  const wrong = (why: string): UsageError =>
    new UsageError(`--external-ca "${given}": ${why}: write protocol=cfssl,url=https://host:port/path`);
  const fields = new Map<string, string>();
  for (const part of given.split(',')) {
    const at = part.indexOf('=');
    if (at < 1) throw wrong(`"${part}" is not key=value`);
    fields.set(part.slice(0, at).trim().toLowerCase(), part.slice(at + 1).trim());
  }
  const { protocol, url, ...options } = Object.fromEntries(fields);
  if (protocol?.toLowerCase() !== 'cfssl')
    throw wrong(protocol ? `protocol "${protocol}" is not known` : 'protocol is missing');
  if (!url) throw wrong('url is missing');
  return {
    Protocol: 'cfssl',
    URL: url,
    ...(Object.keys(options).length > 0 ? { Options: options } : {}),
    CACert: root,
  };
}
