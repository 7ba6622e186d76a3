import type { RecognizerStream, RecognizerStreamOptions, VoiceActivityDetector } from '../../../src/adapter.ts';
import { UndertoneError } from '../../../src/errors.ts';
import { createSegmenter, type SpeechPiece } from './createSegmenter.ts';
import { toFinals } from './toFinals.ts';
import type { WhisperBinding } from './whisperBinding.ts';

/** What a stream is made of. */
export type WhisperStreamParts = RecognizerStreamOptions & {
  readonly vad: VoiceActivityDetector;
  readonly transcribe: WhisperBinding['transcribe'];
};

/** How much sound may wait for voice activity and recognition: 60 s. */
export const MAX_WAITING_SAMPLES = 960_000;
const SAMPLES_PER_MS = 16;

/**
 * Opens a stream: voice activity cuts the sound into pieces of speech, and each is recognized when it has ended. `write`
 * resolves when its sound has been cut and, where a piece ended in it, recognized: a slow machine slows the source.
 */
export function createWhisperStream(parts: WhisperStreamParts): RecognizerStream {
  const activity = parts.vad.open();
  const segmenter = createSegmenter(activity.frameMs);
  const frameSamples = activity.frameMs * SAMPLES_PER_MS;
  let held = new Float32Array(0);
  let waitingSamples = 0;
  let givenUntilMs = 0;
  let isEnded = false;
  let isOver = false;
  let previous: Promise<void> = Promise.resolve();

  const recognize = async (piece: SpeechPiece | null): Promise<void> => {
    if (piece === null || isOver) return;
    const segments = await parts.transcribe(piece.samples, parts.language);
    for (const final of toFinals(piece, segments, givenUntilMs)) {
      if (isOver) return;
      givenUntilMs = final.endMs;
      parts.onEvent(final);
    }
  };
  const cut = async (samples: Float32Array): Promise<void> => {
    const probabilities = await activity.process(samples);
    const sound = new Float32Array(held.length + samples.length);
    sound.set(held);
    sound.set(samples, held.length);
    let at = 0;
    for (const probability of probabilities) {
      const piece = segmenter.push(sound.slice(at, at + frameSamples), probability);
      at += frameSamples;
      await recognize(piece);
    }
    held = sound.slice(at);
  };
  const stop = (): void => {
    isOver = true;
    activity.close();
  };
  const queue = (work: () => Promise<void>): Promise<void> => {
    previous = previous.then(async () => {
      if (isOver) return;
      try {
        await work();
      } catch (cause) {
        if (isOver) return;
        stop();
        parts.onError(new UndertoneError('RECOGNIZER_FAILED', 'whisper failed on a piece of speech', { cause }));
      }
    });
    return previous;
  };
  return {
    write: (samples) => {
      if (isEnded) throw new TypeError('write: the stream has ended or is closed');
      if (isOver) return Promise.resolve();
      if (waitingSamples + samples.length > MAX_WAITING_SAMPLES) {
        throw new RangeError(
          `write: at most ${MAX_WAITING_SAMPLES} samples may wait; await the last write before the next`,
        );
      }
      waitingSamples += samples.length;
      const copy = samples.map((sample) => (Number.isNaN(sample) ? 0 : Math.max(-1, Math.min(1, sample))));
      return queue(() => cut(copy)).finally(() => {
        waitingSamples -= copy.length;
      });
    },
    finalize: () => {
      if (!isEnded) void queue(() => recognize(segmenter.flush()));
    },
    end: () => {
      isEnded = true;
      return queue(() => recognize(segmenter.flush()));
    },
    close: () => {
      isEnded = true;
      if (!isOver) stop();
    },
  };
}
