/** /secrets */
import type { Secret } from '../../proto/generated/docker/swarmkit/v1/objects.ts';
import type { SecretSpec } from '../../proto/generated/docker/swarmkit/v1/specs.ts';
import { readBody, type ApiContext } from '../context.ts';
import { secretSpec, secretSpecToProto, secretToDocker } from '../docker/secret.ts';
import type { Router } from '../http/router.ts';
import { findSecret } from '../lookup.ts';
import { registerNamedData, type NamedData } from './named-data.ts';

const SECRETS: NamedData<SecretSpec, Secret> = {
  kind: 'secret',
  filters: ['id', 'label', 'name', 'names'],
  specOf: (request) => secretSpecToProto(readBody(request, secretSpec)),
  all: (read) => read.secret.all().filter(({ internal }) => !internal),
  find: findSecret,
  toDocker: secretToDocker,
  create: async (control, spec, request) => (await control.createSecret({ id: '', spec }, request)).secret,
  update: (control, secretId, secretVersion, spec, request) =>
    control.updateSecret({ secretId, secretVersion, spec }, request),
  remove: (control, secretId, request) => control.removeSecret({ secretId }, request),
};

export const registerSecrets = (app: Router, context: ApiContext): void => registerNamedData(app, context, SECRETS);
