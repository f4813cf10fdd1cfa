/** A root certificate that people bring themselves (`docker swarm ca --rotate --ca-cert --ca-key`). */
import { createPrivateKey, X509Certificate } from 'node:crypto';
import { errorText } from '../../../common/errors.ts';
import { certificatesIn } from '../../../common/pem.ts';
import type { CAConfig } from '../../../proto/generated/docker/swarmkit/v1/types.ts';
import { invalid } from './refusal.ts';

/** A root must be good for another year, or the next rotation would be due at once. */
const MIN_ROOT_LIFE_MS = 365 * 24 * 3_600_000;

/** Throws invalidArgument. Settings without a certificate leave the choice of the root to the managers. */
export function validateAuthority({ signingCaCert, signingCaKey }: CAConfig, nowMs: number): void {
  const [pem, ...others] = certificatesIn(Buffer.from(signingCaCert).toString());
  const key = Buffer.from(signingCaKey).toString();
  if (key !== '' && pem === undefined)
    throw invalid('if a signing CA key is provided, the signing CA cert must also be provided');
  if (pem === undefined) return;
  if (others.length > 0) throw invalid('the desired CA certificate cannot contain multiple certificates');
  const certificate = parsed(() => new X509Certificate(pem), 'could not parse the desired CA certificate');
  if (!certificate.ca) throw invalid('the desired CA certificate is not a CA: give one that may sign others');
  if (Date.parse(certificate.validTo) < nowMs + MIN_ROOT_LIFE_MS) throw invalid('CA certificate expires too soon');
  // Then somebody outside must sign with it, which is for root-authorities.ts to find out.
  if (key === '') return;
  const privateKey = parsed(() => createPrivateKey(key), 'could not read the desired CA key');
  if (!certificate.checkPrivateKey(privateKey))
    throw invalid('certificate key mismatch: give the key of the certificate');
  if (privateKey.asymmetricKeyType !== 'ec' && privateKey.asymmetricKeyType !== 'rsa')
    throw invalid(`the desired CA key is of type ${privateKey.asymmetricKeyType ?? 'unknown'}: use ECDSA or RSA`);
}

function parsed<T>(parse: () => T, failure: string): T {
  try {
    return parse();
  } catch (error) {
    throw invalid(`${failure}: ${errorText(error)}`);
  }
}
