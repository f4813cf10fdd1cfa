/** How nodes dial managers: mutual TLS, checking the peer's role by name instead of its address. */
import { createSecureContext } from 'node:tls';
import { credentials, type ChannelCredentials, type ChannelOptions } from '@grpc/grpc-js';
import { CA_SERVER_NAME, ROLE_UNIT } from './certificate.ts';
import type { IdentityState } from './node-identity.ts';
import { RootedCredentials } from './rooted-credentials.ts';

const COMMON: ChannelOptions = {
  'grpc.max_receive_message_length': 128 * 1024 * 1024,
  'grpc.max_send_message_length': 128 * 1024 * 1024,
  // One dead manager must be noticed without waiting for TCP; one that is busy must not be taken for dead.
  'grpc.keepalive_time_ms': 10_000,
  'grpc.keepalive_timeout_ms': 10_000,
  'grpc.initial_reconnect_backoff_ms': 100,
  'grpc.max_reconnect_backoff_ms': 2_000,
  // Nobody asks for gRPC's own records of calls and connections, which cost time and memory at each.
  'grpc.enable_channelz': 0,
};

const made = new WeakMap<IdentityState, ChannelCredentials>();

/** Credentials of a member of the cluster. Made once, since reading keys and certificates takes longer than many a call. */
export function memberCredentials(state: IdentityState): ChannelCredentials {
  let known = made.get(state);
  if (!known) {
    known = new RootedCredentials(state.rootBundle, state);
    made.set(state, known);
  }
  return known;
}

/** The same for connections that are not gRPC's. */
export const memberTls = (state: IdentityState) => ({
  ca: state.rootBundle,
  key: state.key,
  cert: state.certificate,
  servername: ROLE_UNIT.manager,
  minVersion: 'TLSv1.2' as const,
});

/** Options for a channel to any manager. Each channel gets its own connection, so that a renewed certificate is used at once. */
export const managerChannelOptions: ChannelOptions = {
  ...COMMON,
  'grpc.ssl_target_name_override': ROLE_UNIT.manager,
  'grpc.default_authority': ROLE_UNIT.manager,
  'grpc.use_local_subchannel_pool': 1,
};

/** Options for certificate calls. */
export const authorityChannelOptions: ChannelOptions = {
  ...COMMON,
  'grpc.ssl_target_name_override': CA_SERVER_NAME,
  'grpc.default_authority': CA_SERVER_NAME,
  'grpc.use_local_subchannel_pool': 1,
};

/** Trusts a known root but shows no certificate. */
export const anonymousCredentials = (rootBundle: string): ChannelCredentials => new RootedCredentials(rootBundle);

/** Trusts anybody: only to fetch the root, whose digest is then compared with the join token. */
export const unverifiedCredentials = (): ChannelCredentials =>
  // No roots at all: reading in those that come with Node takes longer than the call.
  credentials.createFromSecureContext(createSecureContext({ ca: [] }), {
    rejectUnauthorized: false,
    checkServerIdentity: () => undefined,
  });
