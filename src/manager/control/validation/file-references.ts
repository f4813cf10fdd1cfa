/** Secrets and configs as a container uses them: every reference complete, no two in one place. */
import type { ContainerSpec } from '../../../proto/generated/docker/swarmkit/v1/specs.ts';
import type { ConfigReference, SecretReference } from '../../../proto/generated/docker/swarmkit/v1/types.ts';
import { invalid } from './refusal.ts';

export function validateFileReferences(container: ContainerSpec): void {
  validateReferences('secret', container.secrets, (ref) => [ref.secretId, ref.secretName]);
  validateReferences('config', container.configs, (ref) => [ref.configId, ref.configName]);
  validateCredentialSpec(container);
}

function validateReferences<R extends SecretReference | ConfigReference>(
  noun: string,
  references: readonly R[],
  idAndName: (reference: R) => readonly [string, string],
): void {
  const nameByTarget = new Map<string, string>();
  for (const reference of references) {
    const [id, name] = idAndName(reference);
    if (id === '' || name === '') throw invalid(`malformed ${noun} reference`);
    if (!reference.target) throw invalid(`malformed ${noun} reference, no target provided`);
    if (reference.target.$case !== 'file') continue;
    const file = reference.target.value.name;
    if (file === '') throw invalid(`malformed file ${noun} reference, invalid target file name provided`);
    const other = nameByTarget.get(file);
    if (other !== undefined) {
      throw invalid(`${noun} references '${other}' and '${name}' have a conflicting target: '${file}'`);
    }
    nameByTarget.set(file, name);
  }
}

/** A credential spec may lie in a config, which must then be among the container's configs as a runtime target. */
function validateCredentialSpec(container: ContainerSpec): void {
  const source = container.privileges?.credentialSpec?.source;
  if (source?.$case !== 'config') return;
  const isListed = container.configs.some((ref) => ref.configId === source.value && ref.target?.$case === 'runtime');
  if (!isListed) {
    throw invalid(
      `CredentialSpec references config '${source.value}', but that config isn't in config references with RuntimeTarget`,
    );
  }
}
