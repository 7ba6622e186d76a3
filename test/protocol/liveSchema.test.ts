import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { ConsumerMessage, ProducerMessage } from '../../src/protocol/live.ts';
import { decodeConsumerMessage, decodeProducerMessage, MAX_TRANSCRIPT_CHARS } from '../../src/protocol/liveSchema.ts';

const AUDIO = { encoding: 'pcm16', sampleRateHz: 16_000, channels: 1 } as const;
const TRANSCRIPT = {
  type: 'transcript',
  streamId: 't',
  sequence: 0,
  isFinal: true,
  startMs: 5,
  endMs: 9,
  text: 'x',
} as const;
const PRODUCER: readonly ProducerMessage[] = [
  {
    type: 'hello',
    v: 1,
    session: 's1',
    purpose: 'telehealth',
    exception: 'medical',
    participants: [{ id: 'p1', name: 'Ada', role: 'patient', consent: ['text', 'audio'] }],
    streams: [
      { streamId: 'mic', number: 0, participant: 'p1', kind: 'audio', format: AUDIO, language: 'en' },
      { streamId: 'face', number: 1, participant: 'p1', kind: 'face' },
      { streamId: 'words', number: 2, kind: 'captions', language: 'en-GB' },
    ],
    resume: { token: 'r', epoch: 1 },
    client: 'test 1',
  },
  { type: 'join', participant: { id: 'p2', name: 'Ben' } },
  { type: 'open', streams: [{ streamId: 'cam', number: 3, participant: 'p2', kind: 'video' }] },
  { type: 'close', streamId: 'cam' },
  { type: 'state', streamId: 'mic', state: 'muted' },
  { type: 'format', streamId: 'mic', format: { ...AUDIO, encoding: 'mulaw', sampleRateHz: 8_000 } },
  { ...TRANSCRIPT, participant: 'p1', language: 'en', words: [{ text: 'x', startMs: 5, endMs: 9, confidence: 0.5 }] },
  { type: 'consent', participant: 'p1', modalities: [] },
  { type: 'name', participant: 'p1', name: 'Ada L.' },
  { type: 'speaker', speaker: 'S1', participant: 'p1' },
  { type: 'ping', id: 1 },
  { type: 'bye' },
];
const CONSUMER: readonly ConsumerMessage[] = [
  { type: 'hello', v: 1, session: 's1', after: 12 },
  { type: 'ping', id: 0 },
  { type: 'bye' },
];
const ruleOf = (value: unknown): string => {
  const decoded = decodeProducerMessage(typeof value === 'string' ? value : JSON.stringify(value));
  return decoded.ok ? 'ok' : decoded.rule;
};

describe('messages of a producer and of a consumer', () => {
  it.each(PRODUCER)('$type of a producer is read as it was written', (message) => {
    expect(decodeProducerMessage(JSON.stringify(message))).toEqual({ ok: true, message });
  });

  it.each(CONSUMER)('$type of a consumer is read as it was written', (message) => {
    expect(decodeConsumerMessage(JSON.stringify(message))).toEqual({ ok: true, message });
  });

  it('may have fields that this version does not know', () => {
    expect(decodeConsumerMessage('{"type":"bye","later":1}')).toEqual({ ok: true, message: { type: 'bye' } });
  });

  it.each<[string, unknown]>([
    ['message: not JSON', '{'],
    ['message: invalid_type, expected object', '[]'],
    [
      'type: invalid_union, one of hello, join, open, close, state, format, transcript, sightless, consent, name, speaker, ping, bye',
      { type: 'dance' },
    ],
    ['v: invalid_value, one of 1', { type: 'hello', v: 2, participants: [], streams: [] }],
    ['streams: invalid_type, expected array', { type: 'hello', v: 1, participants: [] }],
    ['endMs: not_before_startMs', { ...TRANSCRIPT, endMs: 4 }],
    [`text: too_big, at most ${MAX_TRANSCRIPT_CHARS}`, { ...TRANSCRIPT, text: 'x'.repeat(MAX_TRANSCRIPT_CHARS + 1) }],
    ['startMs: too_small, at least 0', { ...TRANSCRIPT, startMs: -1 }],
    ['streamId: invalid_format', { type: 'close', streamId: 'a b' }],
    [
      'format.sampleRateHz: too_small, at least 8000',
      { type: 'format', streamId: 'a', format: { ...AUDIO, sampleRateHz: 4_000 } },
    ],
    ['participant.name: too_small, at least 1', { type: 'join', participant: { id: 'a', name: '' } }],
    [
      'modalities.0: invalid_value, one of text, audio, face, body',
      { type: 'consent', participant: 'a', modalities: ['smell'] },
    ],
  ])('are refused with the rule: %s', (rule, value) => {
    expect(ruleOf(value)).toBe(rule);
  });

  it('are read from any text without an exception, and no rule repeats what was sent', () => {
    const text = fc.oneof(
      fc.string(),
      fc.json(),
      fc.constantFrom(...PRODUCER).map((message) => JSON.stringify(message)),
    );
    fc.assert(
      fc.property(text, fc.nat(400), fc.string({ maxLength: 2 }), (original, at, inserted) => {
        const mutated = original.slice(0, at) + inserted + original.slice(at + 1);
        for (const decode of [decodeProducerMessage, decodeConsumerMessage]) {
          const decoded = decode(mutated);
          if (!decoded.ok) expect(decoded.rule).toMatch(/^[A-Za-z0-9.]+: [a-zA-Z_0-9 ]+(, [a-zA-Z_0-9, .-]+)?$/);
        }
      }),
      { numRuns: 3_000 },
    );
  });
});
