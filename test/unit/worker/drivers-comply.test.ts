/** Every driver that needs nothing but this machine keeps the contract of drivers. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { FakeClock } from '../../../src/common/clock.ts';
import { silentLogger } from '../../../src/common/log.ts';
import { durationOfMs } from '../../../src/common/time.ts';
import { HollowDriver } from '../../../src/worker/drivers/hollow-driver.ts';
import { ProcessDriver } from '../../../src/worker/drivers/process/process-driver.ts';
import { ScriptedDriver, ScriptedWorld } from '../../../src/worker/drivers/scripted-driver.ts';
import { describeDriver, type Behaviour } from '../../support/driver-compliance.ts';
import { assignedTask } from '../../support/worker-builders.ts';

describeDriver('hollow', HollowDriver.abilities, () => {
  const driver = new HollowDriver({ hostname: 'hollow-1', engineVersion: 'test' });
  return {
    open: () => driver,
    task: (id) => assignedTask(id),
    close: async () => undefined,
  };
});

describeDriver('scripted', ScriptedDriver.abilities, () => {
  const clock = new FakeClock();
  const world = new ScriptedWorld();
  return {
    open: () => new ScriptedDriver({ clock, world, engineVersion: 'test' }),
    task: (id, behaviour) => assignedTask(id, { env: scriptOf(behaviour) }),
    foreignTask: assignedTask('foreign', { env: ['SCRIPT_FAIL_AT=controller'] }),
    advance: (ms) => clock.advance(ms),
    close: async () => undefined,
  };
});

const scriptOf = ({ runMs, exitCode = 0, prints = [], isUnhealthy }: Behaviour): string[] => [
  ...(runMs === undefined ? [] : [`SCRIPT_RUN_MS=${runMs}`]),
  `SCRIPT_EXIT=${exitCode}`,
  `SCRIPT_LOG=${prints.join('\n')}`,
  ...(isUnhealthy ? ['SCRIPT_HEALTH=unhealthy'] : []),
];

describeDriver('process', ProcessDriver.abilities, () => {
  const dir = mkdtempSync(path.join(tmpdir(), 'swarmd-driver-'));
  return {
    open: () =>
      new ProcessDriver({
        directory: path.join(dir, 'tasks'),
        privateDirectory: path.join(dir, 'private'),
        engineVersion: 'test',
        log: silentLogger,
      }),
    task: (id, behaviour) =>
      assignedTask(id, {
        script: shellOf(behaviour),
        stopGraceMs: 300,
        ...(behaviour.isUnhealthy && {
          health: { test: ['CMD-SHELL', 'exit 1'], interval: durationOfMs(50), retries: 2 },
        }),
      }),
    foreignTask: assignedTask('foreign', { image: 'nginx:latest' }),
    close: async () => rmSync(dir, { recursive: true, force: true }),
  };
});

function shellOf({ runMs, exitCode = 0, prints = [], ignoresStop }: Behaviour): string {
  const lines = [...(ignoresStop ? ["trap '' TERM"] : []), ...prints.map((text) => `echo ${text}`)];
  lines.push(runMs === undefined ? 'sleep 1000' : `sleep ${runMs / 1000}`);
  // With a second command the shell stays and passes on no signal by itself.
  if (runMs === undefined && !ignoresStop) return [...lines.slice(0, -1), 'exec sleep 1000'].join('; ');
  return [...lines, `exit ${exitCode}`].join('; ');
}
