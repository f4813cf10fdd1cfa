/**
 * The way of pretend workers to managers: as that of any agent, with what thousands of connections can share. All of a swarm
 * have one TLS context, since they have one key and trust the same roots, and only the certificate in it changes.
 */
import { connect as connectHttp2 } from 'node:http2';
import { connect as connectTls, createSecureContext, type SecureContext, type TLSSocket } from 'node:tls';
import { credentials } from '@grpc/grpc-js';
import { DirectChannel } from '../common/grpc/direct-channel.ts';
import { memberTls } from '../identity/client-credentials.ts';
import type { IdentityState } from '../identity/node-identity.ts';
import type { ManagerConnector } from '../worker/manager-connector.ts';
import { clientsOf } from './manager-connector.ts';

export const hollowConnector = (identity: IdentityState): ManagerConnector => ({
  open: (address) => {
    const session = connectHttp2(`https://${memberTls(identity).servername}`, {
      createConnection: () => connectAs(identity, address),
      settings: { enablePush: false },
    });
    return clientsOf(address, credentials.createInsecure(), { channelOverride: new DirectChannel(address, session) });
  },
});

/** A connection that shows the certificate of one worker. */
function connectAs(identity: IdentityState, address: string): TLSSocket {
  const { hostname, port } = new URL(`tcp://${address}`);
  const socket = connectTls({
    // Without the brackets of an IPv6 address.
    host: hostname.replace(/^\[|\]$/g, ''),
    port: Number(port),
    servername: memberTls(identity).servername,
    secureContext: contextOf(identity),
    ALPNProtocols: ['h2'],
  });
  return socket.setNoDelay();
}

const contexts = new Map<string, SecureContext>();

/**
 * The context of the swarm with the certificate of this worker, to be used at once: a connection takes the certificate when it
 * begins. One of their own costs each worker 30 kB.
 */
function contextOf(identity: IdentityState): SecureContext {
  const { ca, key, cert, minVersion } = memberTls(identity);
  const shared = ca + key;
  let made = contexts.get(shared);
  if (!made) {
    made = createSecureContext({ ca, key, cert, minVersion });
    contexts.set(shared, made);
  }
  (made.context as { setCert(pem: string): void }).setCert(cert);
  return made;
}
