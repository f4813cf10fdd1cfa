/**
 * What a program begins outside of its process (daemons, engines, namespaces, mounts) does not end with the process. Whoever begins
 * something hands in how to end it, for programs that are interrupted.
 */
import { constants } from 'node:os';

type Close = () => Promise<unknown> | void;

const begun = new Set<Close>();
let isListening = false;

/**
 * @param close ends what was begun, should the program be interrupted; needs what was begun before it
 * @returns how to take it back, when it was ended in the usual way
 */
export function closeWhenInterrupted(close: Close): () => void {
  begun.add(close);
  return () => void begun.delete(close);
}

/** From now on SIGINT and SIGTERM end what was begun, the newest first, and then the program; a second one ends it at once. */
export function endInOrderWhenInterrupted(): void {
  if (isListening) return;
  isListening = true;
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => void closeAll(signal));
}

async function closeAll(signal: 'SIGINT' | 'SIGTERM'): Promise<void> {
  console.error('interrupted: ending what was started …');
  for (const close of [...begun].reverse()) {
    try {
      await close();
    } catch (error) {
      console.error(`something may have been left: ${String(error)}`);
    }
  }
  process.exit(128 + constants.signals[signal]);
}
