import type { Observation } from '../../domain/observation.ts';

/** What recognizers said and nobody has fetched yet. */
export type Results = {
  tell(observation: Observation): void;
  /** Everything told since the last call, arriving at `atMs`. */
  drain(atMs: number): readonly Observation[];
  /** Forgets what was told of a stream. */
  forget(streamId: string): void;
};

/** The most that waits; the oldest go first. */
const MAX_WAITING = 10_000;

/** Returns results of which there are none. @param onResult Told when there is something to drain. */
export function createResults(onResult: () => void = () => undefined): Results {
  let results: Observation[] = [];
  return {
    tell: (observation) => {
      if (results.length >= MAX_WAITING) results.shift();
      results.push(observation);
      onResult();
    },
    drain: (atMs) => {
      const drained = results.map((result) => ({ ...result, arrivalMs: atMs }));
      results = [];
      return drained;
    },
    forget: (streamId) => {
      results = results.filter((result) => !('streamId' in result) || result.streamId !== streamId);
    },
  };
}
