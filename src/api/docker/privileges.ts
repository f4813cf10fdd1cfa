/** Security options of a container. */
import {
  Privileges_AppArmorOpts_AppArmorMode as AppArmorMode,
  Privileges_SeccompOpts_SeccompMode as SeccompMode,
  type Privileges,
  type Privileges_CredentialSpec,
} from '../../proto/generated/docker/swarmkit/v1/types.ts';
import { badRequest } from '../http-error.ts';
import { bytes, flag, struct, text, type Decoded } from '../json/decoder.ts';
import { enumWords, nonEmpty } from './values.ts';

const seccompModes = enumWords<SeccompMode>(SeccompMode);
const appArmorModes = enumWords<AppArmorMode>(AppArmorMode);

const credentialSpec = struct('swarm.CredentialSpec', { Config: text, File: text, Registry: text });

export const privileges = struct('swarm.Privileges', {
  CredentialSpec: credentialSpec,
  SELinuxContext: struct('swarm.SELinuxContext', { Disable: flag, User: text, Role: text, Type: text, Level: text }),
  Seccomp: struct('swarm.SeccompOpts', { Mode: text, Profile: bytes }),
  AppArmor: struct('swarm.AppArmorOpts', { Mode: text }),
  NoNewPrivileges: flag,
});

export function privilegesToProto(docker: Decoded<typeof privileges>): Privileges {
  const { SELinuxContext: selinux, Seccomp: seccomp, AppArmor: appArmor } = docker;
  return {
    credentialSpec: docker.CredentialSpec && credentialSpecToProto(docker.CredentialSpec),
    selinuxContext: selinux && {
      disable: selinux.Disable ?? false,
      user: selinux.User ?? '',
      role: selinux.Role ?? '',
      type: selinux.Type ?? '',
      level: selinux.Level ?? '',
    },
    seccomp: seccomp && {
      mode: seccompModes.parse(seccomp.Mode, SeccompMode.DEFAULT, (word) => `invalid seccomp mode: "${word}"`),
      profile: seccomp.Profile ?? Buffer.alloc(0),
    },
    apparmor: appArmor && {
      mode: appArmorModes.parse(appArmor.Mode, AppArmorMode.DEFAULT, (word) => `invalid AppArmor mode: "${word}"`),
    },
    noNewPrivileges: docker.NoNewPrivileges ?? false,
  };
}

function credentialSpecToProto(docker: Decoded<typeof credentialSpec>): Privileges_CredentialSpec {
  const given = [
    docker.Config ? ({ $case: 'config', value: docker.Config } as const) : undefined,
    docker.File ? ({ $case: 'file', value: docker.File } as const) : undefined,
    docker.Registry ? ({ $case: 'registry', value: docker.Registry } as const) : undefined,
  ].filter((source) => source !== undefined);
  if (given.length === 0) {
    throw badRequest('invalid CredentialSpec: must either provide "file", "registry", or "config" for credential spec');
  }
  if (given.length > 1) {
    const [first = '', second = '', third] = given.map(({ $case }) => JSON.stringify($case));
    const named = third === undefined ? `${first} and ${second}` : `${first}, ${second}, and ${third}`;
    throw badRequest(`invalid CredentialSpec: cannot specify both ${named} credential specs`);
  }
  return { source: given[0] };
}

/** `NoNewPrivileges` appeared with API 1.44, which always shows it. */
export function privilegesToDocker(proto: Privileges, apiMinor: number): object {
  const { selinuxContext: selinux, seccomp, apparmor } = proto;
  const source = proto.credentialSpec?.source;
  return {
    CredentialSpec: proto.credentialSpec
      ? {
          Config: source?.$case === 'config' ? source.value : '',
          File: source?.$case === 'file' ? source.value : '',
          Registry: source?.$case === 'registry' ? source.value : '',
        }
      : null,
    SELinuxContext: selinux
      ? {
          Disable: selinux.disable,
          User: selinux.user,
          Role: selinux.role,
          Type: selinux.type,
          Level: selinux.level,
        }
      : null,
    Seccomp: seccomp && {
      Mode: seccompModes.word(seccomp.mode),
      Profile: nonEmpty(Buffer.from(seccomp.profile).toString('base64')),
    },
    AppArmor: apparmor && { Mode: appArmorModes.word(apparmor.mode) },
    NoNewPrivileges: proto.noNewPrivileges || apiMinor >= 44 ? proto.noNewPrivileges : undefined,
  };
}
