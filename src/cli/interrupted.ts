/** Aborts when the user presses Ctrl-C: the way to end what would go on for ever, so it is no failure. */
export function interrupted(): AbortSignal {
  const abort = new AbortController();
  process.once('SIGINT', () => abort.abort());
  return abort.signal;
}
