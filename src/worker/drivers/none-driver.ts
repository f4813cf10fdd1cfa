/** The runtime of nodes that run no tasks, such as managers kept for themselves: it tells of the node and refuses everything. */
import { SwarmError } from '../../common/errors.ts';
import type { NodeDescription } from '../../proto/generated/docker/swarmkit/v1/types.ts';
import { describeHost } from '../host-description.ts';
import type { Ability, LeftoverTask, RuntimeDriver, TaskController } from './driver.ts';

export class NoneDriver implements RuntimeDriver {
  readonly name = 'none';
  readonly abilities: readonly Ability[] = ['refuses tasks'];
  readonly #engineVersion: string;

  constructor(engineVersion: string) {
    this.#engineVersion = engineVersion;
  }

  describe(): Promise<NodeDescription> {
    const plugins = [{ type: 'Runtime', name: this.name }];
    return Promise.resolve(describeHost({ engineVersion: this.#engineVersion, labels: {}, plugins }));
  }

  controller(): TaskController {
    throw new SwarmError('invalidArgument', 'this node was started with --runtime none and cannot run tasks');
  }

  leftovers(): Promise<readonly LeftoverTask[]> {
    return Promise.resolve([]);
  }

  removeLeftover(): Promise<void> {
    return Promise.resolve();
  }

  close(): Promise<void> {
    return Promise.resolve();
  }
}
