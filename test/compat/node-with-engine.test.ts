/**
 * One `swarmd node` over a real engine: docker-py (Debian's) drives the whole Swarm surface, and the docker CLI the container
 * half that is passed on to the engine.
 */
import { execFile, spawn } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { TestDaemon } from '../support/cluster.ts';
import { BUSYBOX_IMAGE, DockerEngine } from '../support/docker-engine.ts';
import { repositoryRoot } from '../support/repository.ts';
import { describeWith, lacking } from '../support/requirements.ts';

const TESTS = join(repositoryRoot, 'test', 'compat', 'docker-py');
const TIMEOUT_MS = 180_000;

describeWith(['root', 'docker', 'dockerd', 'ip', 'busybox'], 'a node with an engine', () => {
  let directory: string;
  let engine: DockerEngine;
  let daemon: TestDaemon;
  /** Has a swarm that the node under test can join. */
  let other: TestDaemon;
  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), 'swarmd-py-'));
    engine = await DockerEngine.start();
    daemon = new TestDaemon('node-1', directory, ['node', '--runtime', 'docker', '--engine', engine.host]);
    other = new TestDaemon('node-2', directory, ['node', '--runtime', 'none']);
    await daemon.start();
    await other.start();
  });
  afterAll(async () => {
    await daemon?.kill();
    await other?.kill();
    await engine?.close();
    await rm(directory, { recursive: true, force: true });
  });

  /** Runs a file of Python tests; its report is the failure's text. */
  const runTests = (file: string): Promise<{ readonly code: number | null; readonly report: string }> =>
    new Promise((resolve, reject) => {
      const python = spawn('/usr/bin/python3', ['-W', 'ignore', '-m', 'unittest', '-v', file], {
        cwd: TESTS,
        env: {
          ...process.env,
          DOCKER_HOST: daemon.host,
          SWARMD_TEST_OTHER_HOST: other.host,
          SWARMD_TEST_IMAGE: BUSYBOX_IMAGE,
          PYTHONDONTWRITEBYTECODE: '1',
        },
      });
      let report = '';
      for (const output of [python.stdout, python.stderr]) {
        output.on('data', (chunk: Buffer) => {
          report += chunk.toString();
        });
      }
      python.once('error', reject);
      python.once('close', (code) => resolve({ code, report }));
    });

  /** A line of shell with the docker CLI; resolves with what it prints, throws with its error output. */
  const shell = (line: string): Promise<string> =>
    new Promise((resolve, reject) => {
      const env = {
        ...process.env,
        DOCKER_HOST: daemon.host,
        DOCKER_BUILDKIT: '0',
        DOCKER_CLI_HINTS: 'false',
        LC_ALL: 'C',
      };
      execFile('sh', ['-ec', line], { cwd: directory, env, timeout: 60_000 }, (error, stdout, stderr) => {
        if (error) reject(new Error(`${line}: ${stderr || error.message}`));
        else resolve(stdout.trim());
      });
    });

  describe('passes the container half on to its engine', () => {
    afterEach(() => shell('docker ps -aq | xargs -r docker rm -f'));

    it.each([
      ['runs a container', `docker run --rm ${BUSYBOX_IMAGE} echo hi`, 'hi'],
      ['attaches standard input', `echo piped | docker run -i --rm ${BUSYBOX_IMAGE} cat`, 'piped'],
      [
        'executes in a container, with input, and shows its log',
        `docker run -d --name box ${BUSYBOX_IMAGE} sh -c 'echo started; sleep 1000'
         docker exec box echo in; echo through | docker exec -i box cat; docker logs box`,
        /^[0-9a-f]{64}\nin\nthrough\nstarted$/,
      ],
      [
        'copies in and out',
        `docker create --name box ${BUSYBOX_IMAGE} true; echo content > file; docker cp -q file box:/f; docker cp -q box:/f - | tar -xO`,
        /\ncontent$/,
      ],
      [
        'builds, saves and loads an image',
        `printf 'FROM ${BUSYBOX_IMAGE}\\nRUN echo built > /x\\nCMD cat /x\\n' | docker build -q -t built - 2>/dev/null
         docker save built -o image.tar; docker rmi built; docker load -qi image.tar; docker run --rm built; docker rmi -f built`,
        /\nbuilt\n/,
      ],
      [
        'waits, stops and tells statistics',
        `docker run -d --name box ${BUSYBOX_IMAGE} sh -c 'trap "exit 3" TERM; while :; do sleep 0.1; done'
         docker stats --no-stream --format '{{.Name}}' box; docker stop box; docker wait box; docker inspect -f '{{.State.Status}}' box`,
        /\nbox\nbox\n3\nexited$/,
      ],
      [
        'keeps volumes and its own networks',
        `docker volume create data; docker network create net; docker run -d --name box --network net -v data:/v ${BUSYBOX_IMAGE} sleep 1000
         docker network inspect -f '{{range .Containers}}{{.Name}}{{end}}' net; docker network ls -qf type=builtin | wc -l
         docker rm -f box; docker network rm net; docker volume rm data; docker system df --format '{{.Type}}'`,
        /\nbox\n3\nbox\nnet\ndata\nImages\nContainers\nLocal Volumes\nBuild Cache$/,
      ],
    ])('%s', async (_what, line, expected) => {
      const printed = await shell(line);
      if (typeof expected === 'string') expect(printed).toBe(expected);
      else expect(printed).toMatch(expected);
    });

    it("tells the engine's events and facts beside those of the swarm", async () => {
      await shell('docker swarm init --advertise-addr 127.0.0.1');
      const events = join(directory, 'events');
      await writeFile(events, '');
      const told = async (): Promise<readonly string[]> => (await readFile(events, 'utf8')).split('\n').toSorted();
      const watching = shell(
        `timeout 20 docker events --format '{{.Type}} {{.Action}} {{.Scope}}' > ${events} || [ $? = 124 ] || [ $? = 143 ]`,
      ).catch(() => undefined);
      await expect
        .poll(
          async () => {
            await shell(
              `docker volume create data; echo data | docker config create c -; docker config rm c; docker volume rm data`,
            );
            return told();
          },
          { timeout: 15_000 },
        )
        .toEqual(
          expect.arrayContaining([
            'config create swarm',
            'config remove swarm',
            'volume create local',
            'volume destroy local',
          ]),
        );
      expect(await shell("docker info -f '{{.Driver}} {{.Swarm.LocalNodeState}} {{.Images}}'")).toMatch(
        /^\S+ active 1$/,
      );
      await shell('docker swarm leave --force');
      void watching;
    });
  });

  it('brings containers that are started by hand into attachable networks of the swarm', async () => {
    await shell('docker swarm init --advertise-addr 127.0.0.1');
    try {
      await shell(`docker network create -d overlay --attachable --subnet 10.77.1.0/24 net
                   docker network create -d overlay --subnet 10.77.2.0/24 closed
                   docker run -d --name one --network net --network-alias first ${BUSYBOX_IMAGE} sleep 1000
                   docker run -d --name two --network net --ip 10.77.1.77 ${BUSYBOX_IMAGE} sleep 1000
                   docker run -d --name three ${BUSYBOX_IMAGE} sleep 1000
                   docker network connect net three
                   docker service create -d --name web --network net --endpoint-mode dnsrr ${BUSYBOX_IMAGE} sleep 1000`);
      await expect.poll(() => shell('docker service ls --format "{{.Replicas}}"'), { timeout: 20_000 }).toBe('1/1');
      const addressOf = (name: string): Promise<string> =>
        shell(`docker inspect -f '{{.NetworkSettings.Networks.net.IPAddress}}' ${name}`);
      expect(await addressOf('two')).toBe('10.77.1.77');
      const [address, connected] = [await addressOf('one'), await addressOf('three')];
      expect(new Set([address, connected, '10.77.1.77']).size).toBe(3);
      const task = await shell('docker ps -qf name=web');
      const looks = (container: string, name: string): Promise<string> =>
        shell(`docker exec ${container} nslookup ${name} 127.0.0.11 | sed -n 's/^Address.*: *\\(10[.].*\\)/\\1/p'`);
      await expect.poll(() => looks(task, 'first'), { timeout: 10_000 }).toBe(address);
      expect(await looks(task, 'three')).toBe(connected);
      expect(await looks('one', 'web')).toMatch(/^10\.77\.1\.\d+$/);
      expect(
        await shell(`docker exec ${task} ping -c 1 ${address} && docker exec three ping -c 1 10.77.1.77`),
      ).toContain('1 packets received');
      await expect(shell(`docker run --rm --network closed ${BUSYBOX_IMAGE} true`)).rejects.toThrow(
        'Could not attach to network closed: rpc error: code = PermissionDenied desc = network closed not manually attachable',
      );
      // Networks are also meant by their ids, which are none of the engine's.
      await shell(`id=$(docker network inspect -f '{{.Id}}' net)
                   docker run -d --name five --network $id ${BUSYBOX_IMAGE} sleep 1000
                   docker create --name six ${BUSYBOX_IMAGE} sleep 1000
                   docker network connect $id six; docker start six
                   docker run -d --name seven ${BUSYBOX_IMAGE} sleep 1000
                   docker network connect $id seven`);
      for (const name of ['five', 'six', 'seven']) expect(await addressOf(name)).toMatch(/^10\.77\.1\.\d+$/);
      await shell("docker network disconnect $(docker network inspect -f '{{.Id}}' net) seven");
      expect(await addressOf('seven')).toBe('<no value>');
      await shell('docker rm -f five six seven');
      await shell('docker restart -t 0 one; docker stop -t 0 two; docker start two; docker service rm web');
      await expect.poll(() => looks('one', 'three'), { timeout: 10_000 }).toBe(connected);
      await expect(shell('docker network rm net')).rejects.toThrow('is in use');
      // Its address is given away meanwhile: it gets another one, unless it was given that by hand.
      await shell(`docker stop -t 0 three; docker run -d --name four --network net --ip ${connected} ${BUSYBOX_IMAGE} sleep 1000
                   docker start three`);
      expect(await addressOf('four')).toBe(connected);
      expect([connected, address, '10.77.1.77', '']).not.toContain(await addressOf('three'));
      expect(await addressOf('two')).toBe('10.77.1.77');
      await shell('docker rm -f one two three four');
      await expect.poll(() => shell('docker network rm net'), { timeout: 20_000 }).toBe('net');
    } finally {
      await shell('docker ps -aq | xargs -r docker rm -f; docker swarm leave --force');
    }
  }, 120_000);

  const needsDockerPy = lacking('dockerPy');
  describe.skipIf(needsDockerPy)(`answers docker-py${needsDockerPy ? ` (skipped: ${needsDockerPy})` : ''}`, () => {
    it.each([
      ['founds, joins, changes and leaves swarms again and again', 'test_swarm'],
      ['makes secrets, configs and networks', 'test_objects'],
      ['says all of a service and gets it back', 'test_services'],
      ['updates services, sees their tasks and reads their logs', 'test_service_life'],
    ])(
      '%s',
      async (_what, file) => {
        const { code, report } = await runTests(file);
        expect(report).toMatch(/\nOK\n$/);
        expect(code).toBe(0);
        for (const [line] of report.matchAll(/\b(init|join): [\d. ]+ s, longest .*$/gm))
          console.log(`docker-py, ${line}`);
      },
      TIMEOUT_MS,
    );
  });
});
