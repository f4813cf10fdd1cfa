/** /configs */
import type { Config } from '../../proto/generated/docker/swarmkit/v1/objects.ts';
import type { ConfigSpec } from '../../proto/generated/docker/swarmkit/v1/specs.ts';
import { readBody, type ApiContext } from '../context.ts';
import { configSpec, configSpecToProto, configToDocker } from '../docker/secret.ts';
import type { Router } from '../http/router.ts';
import { findConfig } from '../lookup.ts';
import { registerNamedData, type NamedData } from './named-data.ts';

const CONFIGS: NamedData<ConfigSpec, Config> = {
  kind: 'config',
  // Unlike secrets, configs are not asked for by `names`.
  filters: ['id', 'label', 'name'],
  specOf: (request) => configSpecToProto(readBody(request, configSpec)),
  all: (read) => read.config.all(),
  find: findConfig,
  toDocker: configToDocker,
  create: async (control, spec, request) => (await control.createConfig({ id: '', spec }, request)).config,
  update: (control, configId, configVersion, spec, request) =>
    control.updateConfig({ configId, configVersion, spec }, request),
  remove: (control, configId, request) => control.removeConfig({ configId }, request),
};

export const registerConfigs = (app: Router, context: ApiContext): void => registerNamedData(app, context, CONFIGS);
