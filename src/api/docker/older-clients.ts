/**
 * Fields a client of an older API version cannot mean: it may echo them back from an inspect without knowing them, so
 * they are taken out of what it sends, as Docker does.
 */
import { badRequest } from '../http-error.ts';
import type { DockerServiceSpec } from './service-spec.ts';

type Mutable<T> = { -readonly [K in keyof T]: T[K] };

/** @param apiMinor minor version the client speaks: 41 for 1.41 */
export function withoutNewerFields(spec: DockerServiceSpec, apiMinor: number): DockerServiceSpec {
  if (apiMinor >= 46) return spec;
  const result: Mutable<DockerServiceSpec> = { ...spec };
  const task = spec.TaskTemplate && { ...spec.TaskTemplate };
  const container: Mutable<NonNullable<NonNullable<typeof task>['ContainerSpec']>> | undefined =
    task?.ContainerSpec && { ...task.ContainerSpec };
  if (container) dropFromContainer(container, apiMinor);
  if (apiMinor < 41 && spec.Mode) result.Mode = { Replicated: spec.Mode.Replicated, Global: spec.Mode.Global };
  if (task) {
    const limits = task.Resources?.Limits;
    result.TaskTemplate = {
      ...task,
      ContainerSpec: container,
      Resources: limits && apiMinor < 41 ? { ...task.Resources, Limits: { ...limits, Pids: 0 } } : task.Resources,
      Placement: task.Placement && apiMinor < 40 ? { ...task.Placement, MaxReplicas: 0 } : task.Placement,
    };
  }
  return result;
}

function dropFromContainer(
  container: Mutable<NonNullable<NonNullable<DockerServiceSpec['TaskTemplate']>['ContainerSpec']>>,
  apiMinor: number,
): void {
  container.OomScoreAdj = undefined;
  container.Mounts = container.Mounts?.map((mount) => ({
    ...mount,
    TmpfsOptions: mount.TmpfsOptions && { ...mount.TmpfsOptions, Options: undefined },
    VolumeOptions:
      mount.VolumeOptions && apiMinor < 45 ? { ...mount.VolumeOptions, Subpath: undefined } : mount.VolumeOptions,
    BindOptions:
      mount.BindOptions && apiMinor < 44
        ? { ...mount.BindOptions, ReadOnlyNonRecursive: undefined, ReadOnlyForceRecursive: undefined }
        : mount.BindOptions,
  }));
  if (apiMinor < 42) refuseClusterMounts(container.Mounts);
  if (apiMinor < 44) {
    container.Privileges = container.Privileges && {
      CredentialSpec: container.Privileges.CredentialSpec,
      SELinuxContext: container.Privileges.SELinuxContext,
    };
    container.Healthcheck = container.Healthcheck && { ...container.Healthcheck, StartInterval: undefined };
  }
  if (apiMinor < 41) {
    container.CapabilityAdd = undefined;
    container.CapabilityDrop = undefined;
    container.Ulimits = undefined;
  }
  if (apiMinor < 40) {
    container.Sysctls = undefined;
    container.Configs = container.Configs?.map((config) => ({ ...config, Runtime: undefined }));
  }
}

/** Before 1.42 there was no such type. */
function refuseClusterMounts(mounts: readonly { readonly Type?: string | undefined }[] | undefined): void {
  const mount = mounts?.find(({ Type }) => Type?.toLowerCase() === 'cluster');
  if (mount) throw badRequest(`invalid MountType: "${mount.Type}"`);
}
