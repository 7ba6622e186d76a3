import type { Recognizer, RecognizerCapabilities, VoiceActivityDetector } from '../../../src/adapter.ts';
import type { RecognizerStream } from '../../../src/adapter.ts';
import { createWhisperStream } from './createWhisperStream.ts';
import { loadWhisper, type WhisperBinding } from './whisperBinding.ts';

/** How whisper.cpp is used. `load` is for tests. */
export type WhisperOptions = {
  /** A ggml model file. */
  readonly modelPath: string;
  /** Finds the speech; it stays the caller's to close. */
  readonly vad: VoiceActivityDetector;
  /** Threads of one recognition, 1 to 64; 2 by default. */
  readonly threads?: number;
  readonly load?: (modelPath: string, threads: number) => Promise<WhisperBinding>;
};

const CAPABILITIES: RecognizerCapabilities = {
  interim: false,
  wordTimes: true,
  diarization: false,
  languages: 'any',
  sampleRatesHz: [8_000, 16_000, 24_000, 32_000, 44_100, 48_000],
  isLocal: true,
  quality: 'production',
};

/**
 * Returns a recognizer that runs whisper.cpp on pieces of speech. One model serves all streams, one piece at a time in the order
 * in which pieces end, so streams share it fairly.
 * @throws RangeError for `threads`; UndertoneError RECOGNIZER_MISSING when the package or the model is not there.
 */
export async function createWhisperRecognizer(options: WhisperOptions): Promise<Recognizer> {
  const { modelPath, vad, threads = 2, load = loadWhisper } = options;
  if (!Number.isInteger(threads) || threads < 1 || threads > 64) {
    throw new RangeError(`threads must be an integer from 1 to 64, not ${threads}`);
  }
  const binding = await load(modelPath, threads);
  const streams = new Set<RecognizerStream>();
  let previous: Promise<unknown> = Promise.resolve();
  let closing: Promise<void> | null = null;
  const transcribe: WhisperBinding['transcribe'] = (samples, language) => {
    const result = previous.then(() => (closing === null ? binding.transcribe(samples, language) : []));
    previous = result.catch(() => undefined);
    return result;
  };
  return {
    name: 'whisper',
    capabilities: CAPABILITIES,
    open: async (streamOptions) => {
      if (closing !== null) throw new TypeError('open: the recognizer is closed');
      const onClosed = (): void => void streams.delete(stream);
      const stream = createWhisperStream({ ...streamOptions, vad, transcribe, onClosed });
      streams.add(stream);
      return stream;
    },
    close: () => {
      closing ??= previous.then(() => binding.free());
      for (const stream of streams) stream.close();
      return closing;
    },
  };
}
