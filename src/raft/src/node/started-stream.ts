/**
 * Begins to iterate at once and hands on everything from the first item. A generator function does nothing until its first item is
 * asked for; started like this, it looks at the state (up to its first await or yield) while that is what it should be.
 */
export function startedStream<Item>(source: AsyncIterable<Item> | Iterable<Item>): AsyncIterable<Item> {
  const iterator = Symbol.asyncIterator in source ? source[Symbol.asyncIterator]() : source[Symbol.iterator]();
  const first = Promise.resolve(iterator.next());
  // Whoever iterates sees the error; until then it is not an unhandled one.
  first.catch(() => undefined);
  return {
    async *[Symbol.asyncIterator]() {
      try {
        for (let next = await first; next.done !== true; next = await iterator.next()) yield next.value;
      } finally {
        await iterator.return?.();
      }
    },
  };
}
