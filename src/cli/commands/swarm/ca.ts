/** `swarm ca`: the root certificate of the swarm, and its replacement. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Command } from 'commander';
import { SwarmError } from '../../../common/errors.ts';
import type { ApiClient } from '../../client.ts';
import { action, isSet, nameless, textFlag, type Flags } from '../../context.ts';
import { isForPeople, printValue } from '../../output.ts';
import { pemFile } from '../../pem-file.ts';
import { ProgressLine } from '../../progress-line.ts';
import type { Terminal } from '../../terminal.ts';
import type { NodeObject, SwarmObject } from '../../types.ts';
import { UsageError } from '../../usage-error.ts';
import { duration } from '../../values.ts';
import { addExternalCa, externalCas } from './external-ca.ts';
import { waitingTime } from '../service/wait.ts';

const POLL_MS = 250;

export function swarmCa(parent: Command, terminal: Terminal): void {
  const command = parent
    .command('ca')
    .description('Show the root certificate of the swarm, or replace it')
    .option('--rotate', 'replace the root, and the certificates of all nodes with it')
    .option('--ca-cert <file>', 'root certificate to use instead of a new one (PEM); with --rotate')
    .option('--ca-key <file>', 'its key (PEM); with --rotate')
    .option('--cert-expiry <duration>', 'how long certificates of nodes are good; with --rotate')
    .option('-d, --detach', 'do not wait until all nodes have new certificates')
    .option('-q, --quiet', 'show no progress')
    .option('--timeout <duration>', 'longest to wait');
  addExternalCa(command);
  action(command, terminal, nameless(), async ({ client, output }, _args, flags) => {
    const showRoot = async (): Promise<void> => {
      const info = await rootOf(client);
      if (isForPeople(output)) terminal.out(info.TrustRoot.endsWith('\n') ? info.TrustRoot : `${info.TrustRoot}\n`);
      else printValue(terminal, info, output);
    };
    if (!isSet(flags, 'rotate')) {
      for (const flag of ['ca-cert', 'ca-key', 'cert-expiry', 'external-ca']) {
        if (flags[flag.replace(/-(\w)/g, (_, letter: string) => letter.toUpperCase())] !== undefined) {
          throw new UsageError(`--${flag}: goes with --rotate only`);
        }
      }
      return showRoot();
    }
    const timeoutMs = waitingTime(flags);
    await rotate(client, flags);
    if (isSet(flags, 'detach')) return;
    await waitForRotation(client, terminal, timeoutMs, isSet(flags, 'quiet'));
    await showRoot();
  });
}

async function rootOf(client: ApiClient): Promise<{ readonly TrustRoot: string }> {
  const { TLSInfo } = await client.get<SwarmObject>('/swarm');
  const { TrustRoot = '' } = TLSInfo ?? {};
  if (TrustRoot === '') throw new SwarmError('failedPrecondition', 'the swarm has no root certificate yet; try again');
  return { ...TLSInfo, TrustRoot };
}

async function rotate(client: ApiClient, flags: Flags): Promise<void> {
  const swarm = await client.get<SwarmObject>('/swarm');
  const [cert, key, expiry] = [textFlag(flags, 'caCert'), textFlag(flags, 'caKey'), textFlag(flags, 'certExpiry')];
  if (key !== undefined && cert === undefined) throw new UsageError('--ca-key: give its certificate with --ca-cert');
  const { SigningCACert: _, ...kept } = swarm.Spec.CAConfig ?? {};
  const root = cert === undefined ? undefined : pemFile('--ca-cert', cert);
  const ExternalCAs = externalCas(flags, root);
  const CAConfig = {
    ...kept,
    ...(root === undefined ? {} : { SigningCACert: root }),
    ...(ExternalCAs === undefined ? {} : { ExternalCAs }),
    ...(key === undefined ? {} : { SigningCAKey: pemFile('--ca-key', key) }),
    ...(expiry === undefined ? {} : { NodeCertExpiry: duration('--cert-expiry', expiry) }),
    ForceRotate: (swarm.Spec.CAConfig?.ForceRotate ?? 0) + 1,
  };
  await client.post('/swarm/update', { version: swarm.Version.Index }, { ...swarm.Spec, CAConfig });
}

/** A rotation is over when the swarm says so; nodes tell whose certificate they have. */
async function waitForRotation(
  client: ApiClient,
  terminal: Terminal,
  timeoutMs: number | undefined,
  isQuiet: boolean,
): Promise<void> {
  const line = new ProgressLine(terminal);
  const startedMs = Date.now();
  try {
    for (;;) {
      const [swarm, nodes] = await Promise.all([
        client.get<SwarmObject>('/swarm'),
        client.get<readonly NodeObject[]>('/nodes'),
      ]);
      const wanted = swarm.TLSInfo?.CertIssuerPublicKey;
      const renewed = nodes.filter((node) => node.Description?.TLSInfo?.CertIssuerPublicKey === wanted).length;
      if (!isQuiet) line.show(`${renewed} of ${nodes.length} nodes have a certificate of the new root`);
      if (swarm.RootRotationInProgress !== true) return;
      if (timeoutMs !== undefined && Date.now() - startedMs > timeoutMs) {
        const late = nodes.filter((node) => node.Description?.TLSInfo?.CertIssuerPublicKey !== wanted);
        const names = late.map((node) => node.Description?.Hostname ?? node.ID).join(', ');
        throw new SwarmError(
          'deadlineExceeded',
          `the root was not replaced within ${timeoutMs / 1000} s: no new certificate yet on ${names || 'no node'}; the rotation goes on, and ends when these nodes are up or removed`,
        );
      }
      await sleep(POLL_MS);
    }
  } finally {
    line.end();
  }
}
