/** The docker driver keeps the contract of drivers with a real engine, and gives containers what a service asks for. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll } from 'vitest';
import { durationOfMs } from '../../src/common/time.ts';
import { Task } from '../../src/proto/generated/docker/swarmkit/v1/objects.ts';
import { DockerDriver } from '../../src/worker/drivers/docker/docker-driver.ts';
import { BUSYBOX_IMAGE, DockerEngine } from '../support/docker-engine.ts';
import { describeDriver, type Behaviour } from '../support/driver-compliance.ts';
import { describeWith } from '../support/requirements.ts';
import { assignedTask } from '../support/worker-builders.ts';

let engine: DockerEngine;

describeWith(['root', 'docker', 'dockerd', 'ip', 'busybox'], 'with a real engine', () => {
  beforeAll(async () => {
    engine = await DockerEngine.start();
  });
  afterAll(() => engine?.close());

  describeDriver('docker', () => {
    const directory = mkdtempSync(path.join(tmpdir(), 'swarmd-docker-driver-'));
    return {
      open: () => DockerDriver.open({ directory, engine: engine.host }),
      task: (id, behaviour) =>
        assignedTask(id, {
          image: BUSYBOX_IMAGE,
          script: shellOf(behaviour),
          stopGraceMs: 1000,
          ...(behaviour.isUnhealthy && {
            health: { test: ['CMD-SHELL', 'exit 1'], interval: durationOfMs(100), retries: 2 },
          }),
        }),
      foreignTask: Task.fromPartial({ id: 'foreign', spec: { runtime: { $case: 'attachment', value: {} } } }),
      without: [],
      close: async () => {
        const left = await engine.docker('ps', '-aq');
        if (left !== '') await engine.docker('rm', '-f', ...left.split('\n'));
        rmSync(directory, { recursive: true, force: true });
      },
    };
  });
});

/** As the first process of a container a shell takes no signal it has no handler for. */
function shellOf({ runMs, exitCode = 0, prints = [], ignoresStop }: Behaviour): string {
  const lines = [
    ignoresStop ? "trap '' TERM" : `trap 'exit 143' TERM`,
    ...prints.map((text) => `echo ${text}`),
    `sleep ${runMs === undefined ? 1000 : runMs / 1000} & wait`,
  ];
  return [...lines, `exit ${exitCode}`].join('; ');
}
