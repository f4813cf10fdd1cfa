/** Secrets. Their data goes to the nodes that need it and never comes back out here. */
import { Secret } from '../../proto/generated/docker/swarmkit/v1/objects.ts';
import type { ControlService } from './control.ts';
import type { ControlDependencies } from './dependencies.ts';
import { createData, getData, listData, relabelData, removeData } from './stored-data.ts';
import { validateSecretSpec } from './validation/data-spec.ts';

type SecretCalls = Pick<ControlService, 'getSecret' | 'listSecrets' | 'createSecret' | 'updateSecret' | 'removeSecret'>;

export function secretCalls({ store, newId }: ControlDependencies): SecretCalls {
  return {
    async getSecret({ secretId }) {
      return { secret: withoutData(getData(store, 'secret', secretId)) };
    },
    async listSecrets({ filters }) {
      return { secrets: listData(store, 'secret', filters).map(withoutData) };
    },
    async createSecret({ spec, id }) {
      validateSecretSpec(spec);
      return {
        secret: withoutData(await createData(store, 'secret', Secret.fromPartial({ id: id || newId(), spec }))),
      };
    },
    async updateSecret({ secretId, secretVersion, spec }) {
      return { secret: withoutData(await relabelData(store, 'secret', secretId, secretVersion, spec)) };
    },
    async removeSecret({ secretId }) {
      await removeData(store, 'secret', secretId);
      return {};
    },
  };
}

const NO_DATA = Buffer.alloc(0);

const withoutData = (secret: Secret): Secret =>
  secret.spec ? { ...secret, spec: { ...secret.spec, data: NO_DATA } } : secret;
