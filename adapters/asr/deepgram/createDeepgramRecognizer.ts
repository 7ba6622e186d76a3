import type { Recognizer, RecognizerCapabilities, RecognizerStream } from '../../../src/adapter.ts';
import { UndertoneError } from '../../../src/errors.ts';
import { loadDeepgram } from './connectDeepgram.ts';
import { openDeepgramStream } from './createDeepgramStream.ts';
import { SYSTEM_TIMERS, type Timers } from './timers.ts';

/** How Deepgram is used. All but the key have defaults; `timers` and `random` are for tests. */
export type DeepgramOptions = {
  readonly apiKey: string;
  /** `nova-3` by default. */
  readonly model?: string;
  /** Tell the speakers apart, where there may be several; false by default. */
  readonly diarize?: boolean;
  /** Keep the sound out of Deepgram's model improvement program; true by default. */
  readonly isOptedOut?: boolean;
  /** The WebSocket address of another server: Deepgram's in another region, or one of your own. */
  readonly url?: string;
  readonly timers?: Timers;
  readonly random?: () => number;
};

const ENDPOINTING_MS = 300;
const UTTERANCE_END_MS = 1_000;

/**
 * Returns a recognizer that streams to Deepgram (listen v1). Its SDK is loaded here, and the network is reached only by
 * `open`, which rejects when the first connection fails.
 * @throws UndertoneError RECOGNIZER_MISSING when the key is empty or the package @deepgram/sdk is not there.
 */
export async function createDeepgramRecognizer(options: DeepgramOptions): Promise<Recognizer> {
  const { apiKey, model = 'nova-3', diarize = false, isOptedOut = true, url } = options;
  const { timers = SYSTEM_TIMERS, random = Math.random } = options;
  if (apiKey.trim() === '') throw new UndertoneError('RECOGNIZER_MISSING', 'Deepgram needs an API key');
  const connect = await loadDeepgram(apiKey.trim(), url);
  const streams = new Set<RecognizerStream>();
  let isClosed = false;
  return {
    name: 'deepgram',
    capabilities: toCapabilities(diarize),
    open: async ({ language, severalSpeakers = true, onEvent, onError }) => {
      if (isClosed) throw new TypeError('open: the recognizer is closed');
      const query = {
        model,
        diarize: diarize && severalSpeakers,
        isOptedOut,
        endpointingMs: ENDPOINTING_MS,
        utteranceEndMs: UTTERANCE_END_MS,
        ...(language !== undefined && { language }),
      };
      const onClosed = (): void => void streams.delete(stream);
      const stream = await openDeepgramStream({ connect, query, timers, random, onEvent, onError, onClosed });
      streams.add(stream);
      if (isClosed) stream.close();
      return stream;
    },
    close: async () => {
      isClosed = true;
      for (const stream of streams) stream.close();
    },
  };
}

function toCapabilities(diarization: boolean): RecognizerCapabilities {
  return {
    interim: true,
    wordTimes: true,
    diarization,
    languages: 'any',
    sampleRatesHz: [8_000, 16_000, 24_000, 32_000, 44_100, 48_000],
    isLocal: false,
    quality: 'production',
  };
}
