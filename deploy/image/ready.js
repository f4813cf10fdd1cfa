#!/usr/bin/env node
// Health check of the image: whether the node takes part in its swarm. Exits 0 when it does; prints why when it does not.
import { request } from 'node:http';

const socketPath = (process.env.SWARMD_API ?? 'unix:///run/swarmd.sock').split(',')[0].replace(/^unix:\/\//, '');
const call = request({ socketPath, path: '/readyz', timeout: 3000 }, (response) => {
  response.pipe(process.stdout);
  process.exitCode = response.statusCode === 200 ? 0 : 1;
});
call.on('timeout', () => call.destroy(new Error('no answer within 3 s')));
call.on('error', (error) => {
  console.log(error.message);
  process.exitCode = 1;
});
call.end();
