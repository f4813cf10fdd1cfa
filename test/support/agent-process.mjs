/**
 * A real agent in a process of its own, for tests that kill it: compiled agent, process driver, plain-text connection.
 * Arguments: data folder, manager address.
 */
import path from 'node:path';
import { credentials } from '@grpc/grpc-js';
import { createLogger } from '../../dist/common/log.js';
import { DispatcherClient } from '../../dist/proto/generated/docker/swarmkit/v1/dispatcher.js';
import { LogBrokerClient } from '../../dist/proto/generated/docker/swarmkit/v1/logbroker.js';
import { Agent } from '../../dist/worker/agent.js';
import { ProcessDriver } from '../../dist/worker/drivers/process/process-driver.js';

const [dir, manager] = process.argv.slice(2);
const log = createLogger({ level: process.env.LOG_LEVEL ?? 'warn' });
const abort = new AbortController();
process.on('SIGTERM', () => abort.abort(new Error('told to stop')));

const open = (address) => {
  const dispatcher = new DispatcherClient(address, credentials.createInsecure());
  const logBroker = new LogBrokerClient(address, credentials.createInsecure());
  const close = () => {
    dispatcher.close();
    logBroker.close();
  };
  return { dispatcher, logBroker, close };
};

const driver = new ProcessDriver({
  directory: path.join(dir, 'tasks'),
  privateDirectory: path.join(dir, 'private'),
  engineVersion: 'test',
  log,
});
const agent = new Agent({
  nodeId: 'node1',
  stateDir: path.join(dir, 'state'),
  driver,
  connector: { open },
  managers: [manager],
  log,
  cutOffMs: 500,
});
await agent.run(abort.signal);
