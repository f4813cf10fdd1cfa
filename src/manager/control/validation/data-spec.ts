/** Secrets and configs: names, sizes and what may change about them later. */
import { SwarmError } from '../../../common/errors.ts';
import type { ConfigSpec, SecretSpec } from '../../../proto/generated/docker/swarmkit/v1/specs.ts';
import { validateFileLikeName } from './names.ts';
import { invalid } from './refusal.ts';

/** Data must be smaller than this, in bytes. */
const MAX_SECRET_BYTES = 512_000;
const MAX_CONFIG_BYTES = 1_024_000;

export function validateSecretSpec(spec: SecretSpec | undefined): asserts spec is SecretSpec {
  validateDataSpec('secret', MAX_SECRET_BYTES, spec);
  if (spec?.driver) {
    if (spec.driver.name === '') throw invalid('secret driver must have a name');
    throw new SwarmError(
      'unimplemented',
      `plugin ${JSON.stringify(spec.driver.name)} not found: secret plugins are not supported, give the data itself`,
    );
  }
}

export function validateConfigSpec(spec: ConfigSpec | undefined): asserts spec is ConfigSpec {
  validateDataSpec('config', MAX_CONFIG_BYTES, spec);
}

function validateDataSpec(noun: string, limitBytes: number, spec: SecretSpec | ConfigSpec | undefined): void {
  if (!spec) throw invalid(`invalid argument: a ${noun} spec must be provided`);
  validateFileLikeName(spec.annotations?.name ?? '');
  const isFromDriver = 'driver' in spec && spec.driver !== undefined;
  if (!isFromDriver && (spec.data.length === 0 || spec.data.length >= limitBytes)) {
    throw invalid(`${noun} data must be larger than 0 and less than ${limitBytes} bytes`);
  }
}

/** Everything but the labels stays; data may be left out or repeated. */
export function refuseDataChange(present: SecretSpec | ConfigSpec, wanted: SecretSpec | ConfigSpec): void {
  const sameData = wanted.data.length === 0 || Buffer.compare(wanted.data, present.data) === 0;
  if (!sameData || wanted.annotations?.name !== present.annotations?.name) {
    throw invalid('only updates to Labels are allowed');
  }
}
