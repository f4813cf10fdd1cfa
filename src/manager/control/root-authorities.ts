/** Roots whose keys the managers do not hold: before they are settled upon somebody outside must be there who signs with them. */
import { normalisedPem } from '../../common/pem.ts';
import { errorText } from '../../common/errors.ts';
import type { UpdateClusterRequest } from '../../proto/generated/docker/swarmkit/v1/control.ts';
import type { CAConfig, ExternalCA } from '../../proto/generated/docker/swarmkit/v1/types.ts';
import { authoritiesFor } from '../../identity/external-cas.ts';
import type { ControlDependencies } from './dependencies.ts';
import { validateAuthority } from './validation/authority.ts';
import { invalid } from './validation/refusal.ts';

/** Throws invalidArgument when a root that is in use, or is to be, is left without anybody who signs with it. Looks at what changes only. */
export async function requireAuthorities(
  { store, clock, reachAuthorities }: ControlDependencies,
  { clusterId, spec }: Pick<UpdateClusterRequest, 'clusterId' | 'spec'>,
): Promise<void> {
  const cluster = store.read.cluster.get(clusterId);
  const config = spec?.caConfig;
  if (!cluster?.rootCa || !config || isAsBefore(config, cluster.spec?.caConfig)) return;
  validateAuthority(config, clock.now());
  const { rootCa } = cluster;
  const present = pemOf(rootCa.caCert);
  const desired = pemOf(config.signingCaCert);
  const isDesiredOutside = desired !== '' && config.signingCaKey.length === 0;
  const isPresentOutside = rootCa.caKey.length === 0;
  const needed = new Map<string, string>();
  // Bringing back its key ends that need.
  if (isPresentOutside && !(desired === present && !isDesiredOutside)) needed.set(present, 'current');
  if (isDesiredOutside && !needed.has(desired)) needed.set(desired, 'desired');
  const next = rootCa.rootRotation;
  if (next && next.caKey.length === 0 && desired === '') needed.set(pemOf(next.caCert), 'next');
  for (const [root, which] of needed) {
    const authorities = requireNamed(config, root, present, which);
    try {
      await reachAuthorities(authorities, root);
    } catch (error) {
      throw invalid(`${missing(which)}: ${errorText(error)}`);
    }
  }
  if (isDesiredOutside && isPresentOutside && desired !== present)
    throw invalid(
      "rotating from one external CA to a different external CA is not supported: rotate to a root of the swarm's own first, or give the key of the desired one",
    );
}

/** The same before there is a swarm, when nobody is asked. */
export function requireNamedAuthority(config: CAConfig, present: string): void {
  const { signingCaCert, signingCaKey } = config;
  const desired = pemOf(signingCaCert);
  // Docker passes over what is no certificate.
  if (desired !== '' && signingCaKey.length === 0) requireNamed(config, desired, present, 'desired');
}

function requireNamed({ externalCas }: CAConfig, root: string, present: string, which: string): readonly ExternalCA[] {
  const authorities = authoritiesFor(externalCas, root, present);
  if (authorities.length > 0) return authorities;
  throw invalid(
    `${missing(which)}: none is named for it; name one (--external-ca), or give the key of the certificate`,
  );
}

const missing = (which: string): string =>
  `there must be at least one valid, reachable external CA corresponding to the ${which} CA certificate`;

/** Settings that have nothing to do with this must go through while an authority is down. */
function isAsBefore(config: CAConfig, before: CAConfig | undefined): boolean {
  const externals = (list: readonly ExternalCA[]): string =>
    JSON.stringify(list.map(({ url, caCert }) => [url, pemOf(caCert)]));
  return (
    config.signingCaCert.length === 0 &&
    config.forceRotate === (before?.forceRotate ?? 0) &&
    externals(config.externalCas) === externals(before?.externalCas ?? [])
  );
}

const pemOf = (bytes: Uint8Array): string => normalisedPem(Buffer.from(bytes).toString());
