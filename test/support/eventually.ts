/** Waiting for things that happen in real time, in tests over real sockets. */

/** Resolves when `check` holds or stops throwing; fails with its last error after `timeoutMs`. */
export async function eventually<T>(check: () => T, timeoutMs = 5_000): Promise<Exclude<T, false>> {
  const end = performance.now() + timeoutMs;
  for (;;) {
    try {
      const result = check();
      if (result !== false) return result as Exclude<T, false>;
      if (performance.now() > end) throw new Error('it did not come true in time');
    } catch (error) {
      if (performance.now() > end) throw error;
    }
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}
