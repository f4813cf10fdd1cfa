/**
 * docker-py's swarm methods with every argument they take, on a Docker Engine and on a node of ours at the same time: what
 * comes back is the same, but for what is listed here.
 */
import { spawn } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { TestDaemon } from '../support/cluster.ts';
import { BUSYBOX_IMAGE, DockerEngine } from '../support/docker-engine.ts';
import { repositoryRoot } from '../support/repository.ts';
import { describeWith } from '../support/requirements.ts';

const FOLDER = join(repositoryRoot, 'test', 'compat', 'docker-py');
const TIMEOUT_MS = 280_000;

/** What ours answers where that is not what Docker answers, by call; docs/compatibility.md says why. */
const OURS: Readonly<Record<string, RegExp>> = {
  'create_network overlay': /^503 This node is not a swarm manager/,
  'join bad address': /^400 invalid join token/,
  'join bad token': /^400 invalid join token/,
  'join bad advertise': /^400 advertise address must be a non-zero IP address/,
  'init bad listen port': /^400 /,
  'init huge listen port': /^400 /,
  'init foreign listen': /^503 cannot listen on/,
  'init bad pool': /^400 invalid base pool bogus: invalid CIDR address: bogus/,
  'init pool of six': /^400 invalid /,
  'init size below pool': /^400 invalid CIDR: "10\.77\.0\.0\/24"\. Subnet size is too small for pool: 16/,
  'init size 31': /^400 subnet size is out of range: 31/,
  'init low data path port': /^400 Datapath port number is not in valid range \(1024-49151\) : 80/,
  'init high data path port': /^400 Datapath port number is not in valid range \(1024-49151\) : 50000/,
  'init negative heartbeat': /^400 heartbeat time period cannot be a negative duration/,
  'init external ca protocol': /^400 invalid protocol: "bogus"/,
  // There is nothing to replace in a root that was made a moment ago.
  'init force rotate': /"RootRotationInProgress": false/,
  // Docker forgets to show it.
  'init log driver': /"LogDriver": \{"Name": "json-file"/,
  'init signing key': /^400 if a signing CA key is provided, the signing CA cert must also be provided/,
  'update log driver': /"LogDriver": \{"Name": "none"\}/,
  'version 0': /^409 .*update out of sequence/,
  version: /^409 .*update out of sequence/,
  'filter {"membership": "pending"}': /^0$/,
  'swarm bridge': /^400 .*plugin "bridge" not found/,
  'create bad constraints': /^400 .*constraint expected one operator from ==, !=/,
  'update bad': /^400 .*constraint expected one operator from ==, !=/,
  'create mounts': /"Consistency": "cached"/,
};

describeWith(['root', 'docker', 'dockerd', 'dockerPy', 'ip', 'busybox'], 'docker-py beside a Docker Engine', () => {
  let directory: string;
  let daemon: TestDaemon;
  /** One that makes swarms itself, and the one under ours. */
  let engines: readonly DockerEngine[] = [];
  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), 'swarmd-py-calls-'));
    engines = await Promise.all([DockerEngine.start({ joinsSwarm: true }), DockerEngine.start()]);
    daemon = new TestDaemon('node-1', directory, ['node', '--runtime', 'docker', '--engine', engines[1]?.host ?? '']);
    await daemon.start();
  });
  afterAll(async () => {
    await daemon?.kill();
    for (const engine of engines) await engine.close();
    await rm(directory, { recursive: true, force: true });
  });

  it.each(['outside', 'lives', 'swarm', 'models'])(
    'gives the same: %s',
    async (part) => {
      const [reference = [], ours = []] = await Promise.all(
        [engines[0]?.host ?? '', daemon.host].map((host) => answers(host, part)),
      );
      expect(ours.map(([label]) => label)).toEqual(reference.map(([label]) => label));
      const differing = ours.filter(([, text], at) => text !== reference[at]?.[1]);
      const unexpected = differing.filter(([label, text]) => !(OURS[label]?.test(text) ?? false));
      const expected = new Map(reference);
      expect(unexpected).toEqual(unexpected.map(([label]) => [label, expected.get(label)]));
    },
    TIMEOUT_MS,
  );
});

/** What each call gave, in order. */
async function answers(host: string, part: string): Promise<readonly (readonly [label: string, text: string])[]> {
  const text = await played(host, part);
  const entries: [string, string][] = [];
  for (const line of text.split('\n').filter((each) => each !== '' && !each.startsWith('=='))) {
    const [, label, said] = /^((?:\{.*?\}|[^:{])*(?:\{.*?\})?): (.*)$/.exec(line) ?? [];
    const last = entries.at(-1);
    if (line.startsWith('   ') && last) last[1] += `\n${line}`;
    else entries.push([label ?? line, said ?? '']);
  }
  return entries;
}

function played(host: string, part: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const env = {
      ...process.env,
      DOCKER_HOST: host,
      SWARMD_TEST_IMAGE: BUSYBOX_IMAGE,
      PYTHONDONTWRITEBYTECODE: '1',
    };
    const python = spawn('/usr/bin/python3', ['-W', 'ignore', 'calls.py', part], { cwd: FOLDER, env });
    let text = '';
    for (const output of [python.stdout, python.stderr])
      output.on('data', (chunk: Buffer) => (text += chunk.toString()));
    python.once('error', reject);
    python.once('close', (code) => (code === 0 ? resolve(text) : reject(new Error(text.slice(-2000)))));
  });
}
