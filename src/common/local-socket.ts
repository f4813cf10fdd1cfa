/** Where a daemon serves its API, and tools look for it, unless told otherwise. */

/** Where state of the user lives: /var/lib for root, else XDG_STATE_HOME. */
export const stateHome = (): string =>
  isRoot() ? '/var/lib' : (process.env['XDG_STATE_HOME'] ?? `${process.env['HOME'] ?? '.'}/.local/state`);

/**
 * Path of the API socket: /run/swarmd.sock for root, else in XDG_RUNTIME_DIR; without that beside the state, since in a
 * folder that others may write to, anybody could serve a socket of that name.
 */
export const defaultSocketPath = (): string =>
  isRoot() ? '/run/swarmd.sock' : `${process.env['XDG_RUNTIME_DIR'] ?? stateHome()}/swarmd.sock`;

const isRoot = (): boolean => process.getuid?.() === 0;
