import { describe, expect, it } from 'vitest';
import type { RecognizerEvent } from '../../../../src/adapter.ts';
import { MAX_WAITING_SAMPLES, openStream } from '../../../../adapters/asr/pocketsphinx/openStream.ts';
import type { Decoder } from '../../../../adapters/asr/pocketsphinx/library.ts';
import { createTurnstile } from '../../../../adapters/asr/pocketsphinx/turnstile.ts';
import { UndertoneError } from '../../../../src/errors.ts';

function fakeDecoder(failsAt = Infinity): { decoder: Decoder; log: string[] } {
  const log: string[] = [];
  let blocks = 0;
  const decoder: Decoder = {
    start: async () => void log.push('start'),
    process: async (samples) => {
      log.push(`process ${samples.join(' ')}`.slice(0, 40));
      if (++blocks >= failsAt) throw new UndertoneError('RECOGNIZER_FAILED', 'broken');
    },
    hypothesis: () => `heard ${blocks}`,
    finish: async () => {
      log.push('finish');
      return [{ word: 'word', first: 0, last: 0 }];
    },
    free: async () => void log.push('free'),
  };
  return { decoder, log };
}

function open(failsAt?: number) {
  const { decoder, log } = fakeDecoder(failsAt);
  const events: RecognizerEvent[] = [];
  const errors: UndertoneError[] = [];
  const stream = openStream(decoder, createTurnstile(1), {
    onEvent: (event) => void events.push(event),
    onError: (error) => void errors.push(error),
  });
  return { stream, log, events, errors };
}

describe('openStream', () => {
  it('begins an utterance with the first sound only, and ends none that did not begin', async () => {
    const { stream, log } = open();
    stream.finalize();
    await stream.write(new Float32Array(0));
    await stream.end();
    expect(log).toEqual([]);
  });

  it('clips what is beyond full scale and takes what is no number for 0', async () => {
    const { stream, log } = open();
    await stream.write(Float32Array.of(0.5, 2, -Infinity, Number.NaN));
    expect(log).toEqual(['start', 'process 16384 32767 -32767 0']);
  });

  it('says an interim again only when it changed', async () => {
    const { stream, events } = open();
    await stream.write(new Float32Array(160));
    await stream.write(new Float32Array(160));
    expect(events.map((event) => event.text)).toEqual(['heard 1', 'heard 2']);
  });

  it('ends an utterance that lasts 30 s', async () => {
    const { stream, events } = open();
    for (let second = 0; second < 31; second++) await stream.write(new Float32Array(16_000));
    expect(events.filter(({ type }) => type === 'final')).toHaveLength(1);
  });

  it('refuses more than may wait, and takes more once it has been heard', async () => {
    const { stream } = open();
    const first = stream.write(new Float32Array(MAX_WAITING_SAMPLES));
    expect(() => stream.write(new Float32Array(1))).toThrow(RangeError);
    await first;
    await stream.write(new Float32Array(1));
  });

  it('fails once, then ignores what it is given, and is still freed once', async () => {
    const { stream, events, errors, log } = open(2);
    for (let block = 0; block < 4; block++) await stream.write(new Float32Array(1));
    await stream.end();
    stream.close();
    stream.close();
    await stream.freed;
    expect(errors.map(({ code }) => code)).toEqual(['RECOGNIZER_FAILED']);
    expect(events).toHaveLength(1);
    expect(log.filter((entry) => entry === 'free')).toHaveLength(1);
  });
});
