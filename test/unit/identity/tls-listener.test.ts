import { once } from 'node:events';
import { connect as connectTcp, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { startAuthority, type TestAuthority } from '../../support/authority.ts';

/** Resolves when it is closed, in whatever way. */
const closing = (socket: Socket): Promise<void> =>
  new Promise((resolve) => {
    socket.resume().on('error', () => undefined);
    socket.once('close', () => resolve());
  });

describe('the TLS listener of a manager', () => {
  let authority: TestAuthority;
  const address = () => {
    const [host = '', port = ''] = authority.address.split(':');
    return { host, port: Number(port) };
  };
  beforeEach(async () => {
    authority = await startAuthority();
  });
  afterEach(() => authority.close());

  it('closes though a client has not begun its handshake', async () => {
    const socket = connectTcp(address());
    await once(socket, 'connect');
    const ended = closing(socket);
    // So that the server has taken the connection.
    const other = connectTls({ ...address(), ALPNProtocols: ['h2'], rejectUnauthorized: false });
    void closing(other);
    await once(other, 'secureConnect');

    await authority.listener.close();
    await expect(ended).resolves.toBeUndefined();
  });

  it('closes though the handshake of a client is under way, which would come through afterwards', async () => {
    const socket = connectTcp(address());
    await once(socket, 'connect');
    const late = connectTls({ socket, ALPNProtocols: ['h2'], rejectUnauthorized: false });
    const ended = closing(late);

    await authority.listener.close();
    await expect(ended).resolves.toBeUndefined();
  });
});
