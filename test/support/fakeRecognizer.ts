import type {
  Recognizer,
  RecognizerCapabilities,
  RecognizerStream,
  RecognizerStreamOptions,
} from '../../src/adapter.ts';
import type { TimedWord } from '../../src/domain/observation.ts';
import { UndertoneError } from '../../src/errors.ts';

/** How one stream of a fake recognizer goes wrong: it cannot open, dies, or takes and says nothing any more. */
export type FakeBehaviour = {
  readonly failsToOpen?: boolean;
  readonly diesAfterMs?: number;
  readonly stallsAfterMs?: number;
};

/** A recognizer of {@link spoken} sound that counts what was opened and what is open. */
export type FakeRecognizer = Recognizer & {
  readonly opened: () => number;
  readonly streams: () => number;
  readonly heardMs: () => number;
};

/** Samples of one word: 250 ms. */
const WORD = 4_000;

/** Sound in which {@link createFakeRecognizer} hears `w1 w2 …`, 250 ms each: the level is the word. 0 is silence. */
export function spoken(words: readonly number[]): Float32Array {
  const samples = new Float32Array(words.length * WORD);
  for (const [index, word] of words.entries()) samples.fill(word / 1_000, index * WORD, (index + 1) * WORD);
  return samples;
}

/** Returns a recognizer that hears the words of {@link spoken}; `behave` says how its n-th stream (0, 1 …) goes wrong. */
export function createFakeRecognizer(
  name: string,
  behave: (opened: number) => FakeBehaviour = () => ({}),
  capabilities: Partial<RecognizerCapabilities> = {},
): FakeRecognizer {
  const open = new Set<RecognizerStream>();
  let opened = 0;
  let heardSamples = 0;
  let isClosed = false;
  return {
    name,
    capabilities: {
      interim: true,
      wordTimes: true,
      diarization: false,
      languages: ['en'],
      sampleRatesHz: [8_000, 16_000],
      isLocal: true,
      quality: 'production',
      ...capabilities,
    },
    opened: () => opened,
    streams: () => open.size,
    heardMs: () => heardSamples / 16,
    open: async (options) => {
      if (isClosed) throw new TypeError('open: the recognizer is closed');
      const behaviour = behave(opened++);
      if (behaviour.failsToOpen) throw new UndertoneError('RECOGNIZER_FAILED', `${name} does not start`);
      const stream = openFake(name, behaviour, options);
      open.add(stream);
      return {
        ...stream,
        write: (samples) => {
          heardSamples += samples.length;
          return stream.write(samples);
        },
        close: () => {
          open.delete(stream);
          stream.close();
        },
      };
    },
    close: async () => {
      isClosed = true;
      for (const stream of open) stream.close();
      open.clear();
    },
  };
}

function openFake(
  name: string,
  { diesAfterMs = Infinity, stallsAfterMs = Infinity }: FakeBehaviour,
  { onEvent, onError }: RecognizerStreamOptions,
): RecognizerStream {
  let words: TimedWord[] = [];
  let samples = 0;
  let state: 'open' | 'ended' | 'failed' | 'closed' = 'open';
  const finalize = (): void => {
    const [first, last] = [words[0], words.at(-1)];
    if (first === undefined || last === undefined || samples / 16 >= stallsAfterMs || state === 'failed') return;
    const text = words.map((word) => word.text).join(' ');
    onEvent({ type: 'final', startMs: first.startMs, endMs: last.endMs, text, words });
    words = [];
  };
  const hear = (level: number): void => {
    if (samples++ % WORD !== WORD / 2) return;
    const word = Math.round((Number.isFinite(level) ? Math.min(1, Math.abs(level)) : 0) * 1_000);
    const startMs = (samples - 1 - WORD / 2) / 16;
    if (word === 0) return;
    words.push({ text: `w${word}`, startMs, endMs: startMs + WORD / 16 });
    const text = words.map((heard) => heard.text).join(' ');
    onEvent({ type: 'interim', startMs: words[0]?.startMs ?? 0, endMs: startMs + WORD / 16, text });
  };
  const never = new Promise<void>(() => undefined);
  return {
    write: (block) => {
      if (state === 'ended' || state === 'closed') throw new TypeError('write: the stream is closed');
      if (samples / 16 >= stallsAfterMs) return never;
      for (const level of block) {
        if (state === 'failed') break;
        hear(level);
        if (samples / 16 < diesAfterMs) continue;
        state = 'failed';
        onError(new UndertoneError('RECOGNIZER_FAILED', `${name} died`));
      }
      return Promise.resolve();
    },
    finalize,
    end: () => {
      if (samples / 16 >= stallsAfterMs) return never;
      finalize();
      if (state === 'open') state = 'ended';
      return Promise.resolve();
    },
    close: () => {
      state = 'closed';
    },
  };
}
