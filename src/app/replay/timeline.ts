import type { Observation } from '../../domain/observation.ts';

/** What a source has at one moment of the session clock: some observations, or none (time has passed). */
export type Moment = { readonly atMs: number; readonly observations: readonly Observation[] };

/**
 * Merges sources, each in order of time, into one in order of time; at the same time, in order of the sources. Only one
 * moment of each source is held: sources are pulled as the result is. Leaving early closes every source.
 */
export async function* mergeMoments(sources: readonly AsyncIterable<Moment>[]): AsyncGenerator<Moment> {
  const iterators = sources.map((source) => source[Symbol.asyncIterator]());
  try {
    const heads = await Promise.all(iterators.map((iterator) => iterator.next()));
    for (;;) {
      let next = -1;
      heads.forEach((head, i) => {
        if (head.done) return;
        const best = heads[next];
        if (!best || best.done || head.value.atMs < best.value.atMs) next = i;
      });
      const head = heads[next];
      const iterator = iterators[next];
      if (!head || head.done || !iterator) return;
      yield head.value;
      heads[next] = await iterator.next();
    }
  } finally {
    await Promise.allSettled(iterators.map(async (iterator) => iterator.return?.(undefined)));
  }
}

/** A wall clock that can be waited on; the product's is `setTimeout`, a test's is virtual. */
export type Pacer = { readonly nowMs: () => number; readonly sleep: (ms: number) => Promise<void> };

/** Delays moments so that session time runs at `speed` times wall time; `max` does not wait. Never runs ahead. */
export async function* pace(
  moments: AsyncIterable<Moment>,
  speed: number | 'max',
  pacer: Pacer,
): AsyncGenerator<Moment> {
  const startMs = pacer.nowMs();
  for await (const moment of moments) {
    if (speed !== 'max') {
      const waitMs = startMs + moment.atMs / speed - pacer.nowMs();
      if (waitMs > 1) await pacer.sleep(waitMs);
    }
    yield moment;
  }
}
