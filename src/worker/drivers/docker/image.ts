/** Images: what is there is used, anything else is pulled with the credentials of the service. */
import type Dockerode from 'dockerode';
import type { ContainerSpec } from '../../../proto/generated/docker/swarmkit/v1/specs.ts';
import { engineError, hasStatus } from './engine-error.ts';

/**
 * Makes sure that the image is there where that is possible. A failed pull is not thrown: making the container tells, in
 * the engine's own words, that there is no such image.
 */
export async function fetchImage(engine: Dockerode, spec: ContainerSpec, signal: AbortSignal): Promise<void> {
  try {
    await engine.getImage(spec.image).inspect();
    return;
  } catch (error) {
    if (!hasStatus(error, 404)) throw engineError(error);
  }
  try {
    const authconfig = credentialsOf(spec);
    const stream = (await engine.pull(spec.image, {
      abortSignal: signal,
      ...(authconfig ? { authconfig } : {}),
    } as object)) as NodeJS.ReadableStream;
    await new Promise<void>((resolve, reject) => {
      engine.modem.followProgress(stream, (error: Error | null) => (error ? reject(error) : resolve()));
    });
  } catch (error) {
    signal.throwIfAborted();
    const known = engineError(error);
    if (known.code === 'unavailable') throw known;
  }
}

/** The X-Registry-Auth value the client sent: URL-safe base64 of a JSON object. */
function credentialsOf(spec: ContainerSpec): object | undefined {
  const auth = spec.pullOptions?.registryAuth;
  if (!auth) return undefined;
  try {
    const decoded = JSON.parse(Buffer.from(auth, 'base64url').toString('utf8')) as object;
    return Object.keys(decoded).length > 0 ? decoded : undefined;
  } catch {
    return undefined;
  }
}
