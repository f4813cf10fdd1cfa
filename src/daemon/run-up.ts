/** `swarmd up`: a whole single-node swarm in the foreground, told in a few lines; ending it ends everything it started. */
import type { Logger } from '../common/log.ts';
import { isFree, parseHostPort, withDefaultPort } from './addresses.ts';
import { createDemo, type DemoService } from './demo.ts';
import { DEFAULT_LISTEN_ADDRESS, type DaemonOptions, type UpOptions } from './options.ts';
import { foundWithSettings, runMember, type Daemon } from './run-node.ts';

export async function runUp(asked: UpOptions, log: Logger): Promise<Daemon> {
  const startedMs = performance.now();
  const { host, port } = parseHostPort(withDefaultPort(asked.listenAddr));
  // Nobody asked for this address: where its port is taken, by a Docker Swarm for example, another does as well.
  const isMoved = asked.listenAddr === DEFAULT_LISTEN_ADDRESS && !(await isFree(host, port));
  const settings: DaemonOptions = isMoved ? { ...asked, listenAddr: `${host}:0` } : asked;
  const daemon = await runMember(settings, log, { enter: (node) => foundWithSettings(node, settings) });
  const stop = async (): Promise<void> => {
    say('\nstopping …');
    await daemon.node.stopWithTasks();
    await daemon.stop();
    say('everything that was started is stopped; the swarm is kept in ' + settings.dataDir);
  };
  try {
    if (daemon.node.info().state === 'locked') {
      say('this swarm is locked: unlock it with "docker swarm unlock" or "swarmctl swarm unlock"');
      return { ...daemon, stop };
    }
    const service = asked.demo ? await createDemo(daemon.node) : undefined;
    announce(daemon, settings, service, performance.now() - startedMs);
  } catch (error) {
    await stop();
    throw error;
  }
  return { ...daemon, stop };
}

const say = (text: string): void => void process.stdout.write(`${text}\n`);

function announce(daemon: Daemon, settings: DaemonOptions, demo: DemoService | undefined, tookMs: number): void {
  const manager = daemon.node.manager;
  const tokens = manager?.store.read.cluster.all()[0]?.rootCa?.joinTokens;
  const socket = daemon.api[0] ?? '';
  say(`swarmd is up (${(tookMs / 1000).toFixed(1)} s): one node, runtime ${settings.runtime}\n`);
  if (demo) {
    say(`  demo service   ${demo.name}, ${demo.replicas} replicas running; it answers at`);
    for (const url of demo.urls) say(`                 ${url}`);
    say('');
  }
  say(`  Docker CLI     docker -H ${socket} service ls`);
  say(`  swarmctl       node bin/swarmctl.js --host ${socket} service ls`);
  say(`  health         ${socket} (/livez, /readyz, /metrics)`);
  say(
    `  add a worker   node bin/swarmd.js worker --join ${manager?.address ?? ''} --token ${tokens?.worker ?? ''} --data-dir <dir> --api unix://<socket>`,
  );
  say(`  state          ${settings.dataDir}`);
  say('  stop           Ctrl-C\n');
}
