/**
 * Yields what an async generator yields, in order, pulled ahead of its reader: up to `count` results are waited for or held, so
 * that sources whose work is done elsewhere work at the same time. A failure comes in its place. Leaving early closes the source once
 * it has done what it was asked for.
 */
export async function* readAhead<T>(source: AsyncGenerator<T>, count: number): AsyncGenerator<T> {
  const asked: Promise<IteratorResult<T>>[] = [];
  const ask = (): void => {
    const result = source.next();
    // Whoever reads it learns of a failure; until then nobody has to.
    result.catch(() => undefined);
    asked.push(result);
  };
  try {
    for (let n = 0; n < count; n++) ask();
    for (let result = await asked.shift(); result && !result.done; result = await asked.shift()) {
      ask();
      yield result.value;
    }
  } finally {
    await source.return(undefined);
  }
}
