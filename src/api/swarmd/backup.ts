/**
 * GET /swarmd/backup: a line of JSON (see {@link BackupHead}), then the whole state of that moment as a snapshot. It holds every
 * secret and the key of the authority, which no other call shows, so it is given to those on this machine only.
 */
import { Readable, type Duplex } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { RelayedConnection } from '../connections/relayed-connection.ts';
import { readSwarm, type ApiContext } from '../context.ts';
import type { Router } from '../http/router.ts';
import { HttpError } from '../http-error.ts';
import type { SwarmBackup } from '../ports.ts';

export function registerBackup(app: Router, context: ApiContext): void {
  app.get('/swarmd/backup', async (request, reply) => {
    const connection: Duplex = request.raw.socket;
    if (!(connection instanceof RelayedConnection && connection.isLocal))
      throw new HttpError(
        403,
        'a backup holds every secret: take it over the unix socket of the manager, not over TCP',
      );
    const swarm = await readSwarm(context, request);
    const content = linesOf(swarm.backup());
    const raw = reply.type('application/octet-stream').stream();
    // A connection that breaks tells the client that the backup is not whole; there is nobody else to tell.
    await pipeline(Readable.from(content), raw, { signal: request.signal }).catch(() => undefined);
  });
}

async function* linesOf({ head, pieces }: SwarmBackup): AsyncGenerator<Uint8Array> {
  yield Buffer.from(`${JSON.stringify(head)}\n`);
  for (const piece of pieces) {
    yield piece;
    // A large state must not hold up elections and heartbeats.
    await nextTurn();
  }
}
