/** What `docker stack deploy` sends for a compose file is what `swarmctl stack deploy` sends, field by field. */
import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, request, type IncomingMessage, type ServerResponse } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { promisify } from 'node:util';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { specChanges } from '../../../../src/cli/compose/spec-changes.ts';
import { cliRig, swarmctl } from '../../../support/cli.ts';
import { describeWith } from '../../../support/requirements.ts';
import { COMPOSE_FILES } from './compose-files.ts';

type Sent = Readonly<Record<string, Readonly<Record<string, unknown>>>>;

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'compose-'));
  writeFileSync(join(folder, 'web.env'), '# settings\nFROM_FILE=1\nSHARED=file\n\nQUOTED="as it is"\nFROM_OUTSIDE\n');
  writeFileSync(join(folder, 'password.txt'), 'secret');
  writeFileSync(join(folder, 'app.conf'), 'config');
});
afterEach(() => rmSync(folder, { recursive: true }));

/** Bodies of all creates by what they create, while `deploy` runs against a fresh swarm. */
async function sentBy(
  deploy: (host: string, files: readonly string[]) => Promise<unknown>,
  texts: readonly string[],
): Promise<Sent> {
  const sent: Record<string, Readonly<Record<string, unknown>>> = {};
  const rig = await cliRig();
  const recorder = createServer((call, answer) => void record(call, answer));
  const record = async (call: IncomingMessage, answer: ServerResponse): Promise<void> => {
    const body = await buffer(call);
    const url = call.url ?? '';
    if (call.method === 'POST' && url.endsWith('/create')) {
      const object = JSON.parse(body.toString()) as Readonly<Record<string, unknown>>;
      sent[`${url.split('/').at(-2)} ${String(object['Name'])}`] = object;
    }
    const { method, headers } = call;
    const onward = request({ socketPath: rig.host.slice('unix://'.length), method, path: url, headers }, (reply) => {
      answer.writeHead(reply.statusCode ?? 500, reply.headers);
      reply.pipe(answer);
    });
    onward.end(body);
  };
  const socket = join(folder, 'recorder.sock');
  recorder.listen(socket);
  await once(recorder, 'listening');
  try {
    await rig.run('network', 'create', '--attachable', 'outside');
    await rig.run('secret', 'create', 'outer-secret', join(folder, 'password.txt'));
    const files = texts.map((text, i) => join(folder, `compose${i}.yaml`));
    for (const [i, file] of files.entries()) writeFileSync(file, texts[i] ?? '');
    await deploy(`unix://${socket}`, files);
    return sent;
  } finally {
    recorder.close();
    recorder.closeAllConnections();
    await rig.close();
  }
}

const options = (files: readonly string[]): readonly string[] => files.flatMap((file) => ['-c', file]);
const environment = { FROM_OUTSIDE: 'outside', TAG: '7', EMPTY: '' };

const byDocker = (texts: readonly string[]): Promise<Sent> =>
  sentBy(async (host, files) => {
    const args = ['-H', host, 'stack', 'deploy', '--resolve-image', 'never', ...options(files), 'st'];
    await promisify(execFile)('docker', args, { env: { ...process.env, ...environment } });
  }, texts);

const byUs = (texts: readonly string[]): Promise<Sent> =>
  sentBy(async (host, files) => {
    const saved = { ...process.env };
    Object.assign(process.env, environment);
    const result = await swarmctl(['--host', host, 'stack', 'deploy', '--detach', ...options(files), 'st']);
    process.env = saved;
    expect(result).toMatchObject({ code: 0 });
  }, texts);

/** Ids are of the swarm; these fields say the same in other words, depending on the version of the CLI. */
function normal(body: Readonly<Record<string, unknown>> | undefined): unknown {
  if (!body) return undefined;
  const {
    CheckDuplicate: _c,
    Scope: _s,
    Ingress: _i,
    ConfigOnly: _o,
    ConfigFrom: _f,
    EnableIPv4: _4,
    EnableIPv6: _6,
    ...rest
  } = body;
  return JSON.parse(
    JSON.stringify(rest, (key, value: unknown) => {
      if (/^(Secret|Config)ID$/.test(key)) return 'id';
      if (key !== 'Ports') return value;
      return (value as readonly object[]).map((port) => ({ Protocol: 'tcp', PublishMode: 'ingress', ...port }));
    }),
  );
}

describeWith(['docker'], 'swarmctl sends what the docker CLI sends', () => {
  it.each(COMPOSE_FILES)('$name', async ({ texts }) => {
    const [docker, ours] = [await byDocker(texts), await byUs(texts)];
    expect(Object.keys(ours).sort()).toEqual(Object.keys(docker).sort());
    for (const [name, body] of Object.entries(docker)) {
      const [theirs, own] = [normal(body), normal(ours[name])];
      const differences = specChanges(theirs, own);
      if (differences.length > 0) expect(own, `${name}: ${differences.join(', ')}`).toEqual(theirs);
    }
  });
});
