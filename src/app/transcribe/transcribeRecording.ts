import type { Moment } from '../replay/timeline.ts';
import type { Transcription } from './transcription.ts';

/**
 * Yields the moments of a recording with what recognizers say of them, each once the recognition of what was heard until
 * then has settled: what a local recognizer says, and when, follows from the sound alone, at any speed. What is said
 * after the last moment arrives at its time. Leaving early ends the recognition.
 */
export async function* transcribeRecording(
  moments: AsyncIterable<Moment>,
  transcription: Transcription,
): AsyncGenerator<Moment> {
  let lastMs = 0;
  try {
    for await (const { atMs, observations } of moments) {
      lastMs = atMs;
      for (const observation of observations) transcription.hear(observation);
      await transcription.settle();
      yield { atMs, observations: [...observations, ...transcription.drain(atMs)] };
    }
    await transcription.end();
    yield { atMs: lastMs, observations: transcription.drain(lastMs) };
  } finally {
    transcription.close();
  }
}
