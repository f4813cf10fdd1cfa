/**
 * gRPC credentials for servers that belong to a root. Where OpenSSL refuses one it judges once more: while Docker Swarm replaces
 * its root, its managers show the new root as certified by the old one, without saying which key certified it. Both roots have the
 * same name, so OpenSSL takes that certificate for one that certifies itself, and nodes that missed the change would stay outside.
 */
import type { X509Certificate } from 'node:crypto';
import type { TLSSocket } from 'node:tls';
import { ChannelCredentials, type ChannelOptions } from '@grpc/grpc-js';
import { chainsTo, type KeyPair } from './certificate.ts';

type ConnectorArguments = Parameters<ChannelCredentials['_createSecureConnector']>;
type Connector = ReturnType<ChannelCredentials['_createSecureConnector']>;

/** What OpenSSL says of such a certificate. */
const MISTAKEN = 'SELF_SIGNED_CERT_IN_CHAIN';

export class RootedCredentials extends ChannelCredentials {
  readonly #rootBundle: string;
  readonly #tls: ChannelCredentials;

  /** @param own what to show of oneself; nothing unless given */
  constructor(rootBundle: string, own?: KeyPair) {
    super();
    this.#rootBundle = rootBundle;
    this.#tls = ChannelCredentials.createSsl(
      Buffer.from(rootBundle),
      own ? Buffer.from(own.key) : null,
      own ? Buffer.from(own.certificate) : null,
      { rejectUnauthorized: false },
    );
  }

  override _isSecure(): boolean {
    return true;
  }

  override _equals(other: ChannelCredentials): boolean {
    return this === other;
  }

  override _createSecureConnector(...given: ConnectorArguments): Connector {
    const connector = this.#tls._createSecureConnector(...given);
    return {
      connect: async (socket) => {
        const connected = await connector.connect(socket);
        const tls = connected.socket as TLSSocket;
        const refusal = whyRefused(tls, serverName(given[1]), this.#rootBundle);
        if (!refusal) return connected;
        tls.destroy();
        throw refusal;
      },
      waitForReady: () => connector.waitForReady(),
      getCallCredentials: () => connector.getCallCredentials(),
      destroy: () => connector.destroy(),
    };
  }
}

const serverName = (options: ChannelOptions): string => options['grpc.ssl_target_name_override'] ?? '';

function whyRefused(socket: TLSSocket, name: string, rootBundle: string): Error | undefined {
  if (socket.authorized) return undefined;
  // In fact the code of the error.
  const reason = String(socket.authorizationError);
  const chain = chainOf(socket.getPeerX509Certificate());
  const isTrusted =
    reason === MISTAKEN &&
    isSound(chain) &&
    chainsTo(chain.join(''), rootBundle) &&
    chain[0]?.checkHost(name, { subject: 'never' }) !== undefined;
  if (isTrusted) return undefined;
  return new Error(`the certificate of the manager is not one of this swarm, or not for a manager (${reason})`);
}

/** Each certificate after the one that it issued. */
function chainOf(leaf: X509Certificate | undefined): readonly X509Certificate[] {
  const chain: X509Certificate[] = [];
  for (let link = leaf; link && !chain.some(({ raw }) => raw.equals(link?.raw ?? Buffer.of()));) {
    chain.push(link);
    link = link.issuerCertificate;
  }
  return chain;
}

/** Whether all are valid now, and those that issued others may do so. */
const isSound = (chain: readonly X509Certificate[]): boolean =>
  chain.every(
    ({ validFrom, validTo, ca }, i) =>
      Date.parse(validFrom) <= Date.now() && Date.now() <= Date.parse(validTo) && (i === 0 || ca),
  );
