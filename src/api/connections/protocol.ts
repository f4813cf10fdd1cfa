/** What the thread of the API's connections and the rest of the process tell each other. */
import type { Batch } from './batch.ts';

/** Server side of mutual TLS, PEM. Clients need a certificate of `ca`. */
export interface TlsFiles {
  readonly ca: string;
  readonly certificate: string;
  readonly key: string;
}

export interface ListenRequest {
  readonly at: { readonly path: string } | { readonly port: number; readonly host: string | undefined };
  readonly tls: TlsFiles | undefined;
}

export type ToThread =
  /** Answered with `listening` or `refused`; one is asked after the other. */
  | { readonly kind: 'listen'; readonly where: ListenRequest }
  | { readonly kind: 'events'; readonly batch: Batch }
  | { readonly kind: 'stop listening' }
  /** Let what was written leave, and end. */
  | { readonly kind: 'close' };

export type FromThread =
  /** `port` is 0 for a unix socket. */
  | { readonly kind: 'listening'; readonly port: number }
  | { readonly kind: 'refused'; readonly code: string; readonly message: string }
  | { readonly kind: 'events'; readonly batch: Batch };
