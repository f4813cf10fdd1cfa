import { describe, expect, it } from 'vitest';
import { Config } from '../../../src/proto/generated/docker/swarmkit/v1/objects.ts';
import type { NodeDescription } from '../../../src/proto/generated/docker/swarmkit/v1/types.ts';
import { privateFilesOf } from '../../../src/worker/drivers/private-files.ts';
import { assignedTask } from '../../support/worker-builders.ts';

const node = { hostname: 'alpha' } as NodeDescription;
const file = (name: string) => ({ $case: 'file', value: { name, uid: '5', gid: '6', mode: 0o440 } }) as const;

/** The text of the one file that a config with this content becomes. */
function fileMadeOf(content: string, env: readonly string[], templating?: { readonly name: string }): string {
  const config = Config.fromPartial({
    id: 'c1',
    spec: { data: Buffer.from(content), ...(templating && { templating }) },
  });
  const task = assignedTask('task1', {
    service: 'web',
    env,
    container: { configs: [{ configId: 'c1', configName: 'c', target: file('/etc/c') }] },
  });
  const dependencies = { secrets: new Map(), configs: new Map([['c1', config]]) };
  const [made] = privateFilesOf(task, dependencies, node);
  return Buffer.from(made?.data ?? []).toString();
}

describe('files made of configs', () => {
  it('know the environment that the service declares, with its own templates expanded', () => {
    const template = '{{env "PORT"}} {{env "NONE"}}|{{.Service.Name}}';
    expect(fileMadeOf(template, ['PORT=80{{.Task.Slot}}', 'BARE'], { name: 'golang' })).toBe('801 |web');
  });

  it('are left as they are without a template driver', () => {
    expect(fileMadeOf('{{env "PORT"}}', ['PORT=80'])).toBe('{{env "PORT"}}');
  });
});
