/** Configs: like secrets, but anybody who may ask may read them. */
import { Config } from '../../proto/generated/docker/swarmkit/v1/objects.ts';
import type { ControlService } from './control.ts';
import type { ControlDependencies } from './dependencies.ts';
import { createData, getData, listData, relabelData, removeData } from './stored-data.ts';
import { validateConfigSpec } from './validation/data-spec.ts';

type ConfigCalls = Pick<ControlService, 'getConfig' | 'listConfigs' | 'createConfig' | 'updateConfig' | 'removeConfig'>;

export function configCalls({ store, newId }: ControlDependencies): ConfigCalls {
  return {
    async getConfig({ configId }) {
      return { config: getData(store, 'config', configId) };
    },
    async listConfigs({ filters }) {
      return { configs: listData(store, 'config', filters) };
    },
    async createConfig({ spec, id }) {
      validateConfigSpec(spec);
      return { config: await createData(store, 'config', Config.fromPartial({ id: id || newId(), spec })) };
    },
    async updateConfig({ configId, configVersion, spec }) {
      return { config: await relabelData(store, 'config', configId, configVersion, spec) };
    },
    async removeConfig({ configId }) {
      await removeData(store, 'config', configId);
      return {};
    },
  };
}
