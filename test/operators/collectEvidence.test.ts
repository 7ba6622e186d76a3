import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { ModelInput } from '../../src/domain/conversationModel.ts';
import type { PrivacyMode } from '../../src/domain/modality.ts';
import { createAudioRing } from '../../src/operators/audioRing.ts';
import { createSampleStore } from '../../src/operators/sampleStore.ts';
import { collectEvidence, DEFAULT_EVIDENCE } from '../../src/operators/collectEvidence.ts';
import type { Signal, UtteranceAligned, UtteranceMeasured, UtteranceRecord } from '../../src/operators/signal.ts';
import { ADA, BEN, FAKE_FEATURES, opened, voice } from '../support/scriptedCall.ts';
import { describeOperator, outputOf } from './operatorContract.ts';

type Options = { inputs?: readonly ModelInput[]; privacy?: PrivacyMode; hasTurns?: boolean; settings?: object };
function create({
  inputs = ['text', 'prosody', 'segments'],
  privacy = 'none',
  hasTurns = false,
  settings = {},
}: Options = {}) {
  const all = { ...DEFAULT_EVIDENCE, ...settings };
  return collectEvidence({
    inputs: new Set(inputs),
    privacy,
    hasTurns,
    lookAhead: 3,
    features: FAKE_FEATURES,
    settings: all,
  });
}
describeOperator('collectEvidence', () => create());

const A = opened('a', 'audio', ADA);
function aligned(
  startMs: number,
  endMs: number,
  record: Partial<UtteranceRecord> = {},
  isNew = true,
): UtteranceAligned {
  const utterance = { id: 'u1', speaker: ADA, startMs, endMs };
  return {
    type: 'utteranceAligned',
    arrivalMs: endMs + 500,
    isNew,
    record: { utterance, streamId: 'a', overlaps: [], text: null, ...record },
  };
}
const measuredOf = (signals: readonly Signal[], options: Options = {}): UtteranceMeasured[] =>
  outputOf(create(options), signals).filter((signal) => signal.type === 'utteranceMeasured');
const speech = [...voice('a', 6_400, [[1_000, 3_000]])];

describe('collectEvidence', () => {
  it('measures exactly the audio of the utterance.', () => {
    const [measured] = measuredOf([A, ...speech, aligned(1_000, 3_000, { text: 'hi' })]);
    expect(measured?.evidence.prosody?.[0]).toBe(2);
    expect(measured?.evidence.prosody?.[1]).toBeCloseTo(1, 1);
    expect(measured?.evidence.segments).toEqual(Float32Array.of(20));
    expect(measured?.evidence.text).toBe('hi');
    expect(measured?.evidence.availability).toEqual({
      text: { share: 1 },
      audio: { share: 1 },
      face: { share: 0, reason: 'no_video' },
      body: { share: 0, reason: 'no_video' },
    });
  });

  it('leaves out where others talk, and says how much that is.', () => {
    const overlaps = [{ startMs: 1_500, endMs: 2_000 }];
    const [measured] = measuredOf([A, ...speech, aligned(1_000, 3_000, { overlaps })]);
    expect(measured?.evidence.prosody?.[0]).toBe(1.5);
    expect(measured?.evidence.availability.audio).toEqual({ share: 0.75, reason: 'overlap' });
  });

  it('measures nothing when less than 300 ms are clean.', () => {
    const overlaps = [{ startMs: 1_000, endMs: 2_701 }];
    const [measured] = measuredOf([A, ...speech, aligned(1_000, 3_000, { overlaps })]);
    expect(measured?.evidence.prosody).toBeUndefined();
    expect(measured?.evidence.availability.audio).toEqual({ share: 0, reason: 'overlap' });
  });

  it('says that an utterance is too short to measure, and that one has no audio.', () => {
    const [short, none] = measuredOf([
      A,
      ...speech,
      aligned(1_000, 1_150),
      { ...aligned(1, 2, { streamId: null, utterance: { id: 'u2', speaker: ADA, startMs: 1, endMs: 2 } }) },
    ]);
    expect(short?.evidence.availability.audio).toEqual({ share: 0, reason: 'too_short' });
    expect(short?.evidence.segments).toBeUndefined();
    expect(none?.evidence.availability.audio).toEqual({ share: 0, reason: 'no_audio' });
  });

  it('says how much of an utterance the ring no longer held.', () => {
    const [measured] = measuredOf([A, ...speech, aligned(2_400, 4_400)], { settings: { audioMs: 3_000 } });
    expect(measured?.evidence.availability.audio).toEqual({ share: 0.5, reason: 'no_audio' });
  });

  it('keeps two minutes of a mixed stream with turns.', () => {
    const long = [...voice('a', 64_000, [[0, 64_000]])];
    const [measured] = measuredOf([opened('a', 'audio'), ...long, aligned(0, 10_000)], { hasTurns: true });
    expect(measured?.evidence.availability.audio).toEqual({ share: 1 });
    const [forgotten] = measuredOf([opened('a', 'audio'), ...long, aligned(0, 10_000)]);
    expect(forgotten?.evidence.availability.audio).toEqual({ share: 0, reason: 'too_short' });
  });

  it('gives the model nothing that its weights do not take.', () => {
    const [text] = measuredOf([A, ...speech, aligned(1_000, 3_000, { text: 'hi' })], { inputs: ['text'] });
    expect(text?.evidence).toMatchObject({
      text: 'hi',
      availability: { audio: { share: 0, reason: 'not_in_weights' } },
    });
    expect(text?.evidence.prosody ?? text?.evidence.segments).toBeUndefined();
    const [audio] = measuredOf([A, ...speech, aligned(1_000, 3_000, { text: 'hi' })], { inputs: ['segments'] });
    expect(audio?.evidence.text ?? audio?.evidence.prosody).toBeUndefined();
    expect(audio?.evidence.availability).toMatchObject({
      text: { share: 0, reason: 'not_in_weights' },
      audio: { share: 1 },
    });
  });

  it('measures again only when the overlap changed.', () => {
    const again = aligned(1_000, 3_000, { text: 'late' }, false);
    const muted = [...voice('a', 24_000, [], { fromMs: 6_400 })];
    const overlapped = aligned(1_000, 3_000, { overlaps: [{ startMs: 1_000, endMs: 1_200 }] }, false);
    const [first, late, changed] = measuredOf([A, ...speech, aligned(1_000, 3_000), ...muted, again, overlapped]);
    expect(late?.evidence.prosody).toBe(first?.evidence.prosody);
    expect(late?.evidence.text).toBe('late');
    expect(changed?.evidence.availability.audio).toEqual({ share: 0, reason: 'too_short' });
  });

  it('keeps the audio of a closed stream for 30 s and no longer.', () => {
    const close = (arrivalMs: number): Signal => ({
      type: 'streamClosed',
      arrivalMs,
      streamId: 'a',
      reason: 'track_ended',
    });
    const [soon, late] = measuredOf([
      A,
      ...speech,
      close(6_400),
      opened('b', 'audio', BEN, 36_400),
      aligned(1_000, 3_000),
      opened('c', 'audio', BEN, 36_401),
      aligned(1_000, 2_900, { utterance: { id: 'u2', speaker: ADA, startMs: 1_000, endMs: 2_900 } }),
    ]);
    expect(soon?.evidence.availability.audio).toEqual({ share: 1 });
    expect(late?.evidence.availability.audio).toEqual({ share: 0, reason: 'no_audio' });
  });

  it('says no video while the camera is off for most of the utterance, no extractor while it is on.', () => {
    const off: Signal = { type: 'camera', arrivalMs: 2_100, streamId: 'v', isOn: false };
    const camera = [opened('v', 'video', ADA), off];
    const faceOf = (startMs: number, endMs: number, more: readonly Signal[] = camera): unknown =>
      measuredOf([A, ...more, ...speech, aligned(startMs, endMs)])[0]?.evidence.availability.face.reason;
    expect(faceOf(1_000, 3_000)).toBe('no_extractor');
    expect(faceOf(1_500, 3_000)).toBe('no_video');
    expect(faceOf(1_000, 3_000, [opened('v', 'video', BEN)])).toBe('no_video');
    expect(faceOf(1_000, 3_000, [opened('v', 'video')])).toBe('no_extractor');
    expect(faceOf(1_000, 3_000, [...camera, { ...off, type: 'streamClosed', reason: 'track_ended' }])).toBe(
      'no_extractor',
    );
  });

  it('respects the privacy mode.', () => {
    const one = [A, opened('v', 'video', ADA), ...speech, aligned(1_000, 3_000, { text: 'hi' })];
    const reasons = (privacy: PrivacyMode): unknown =>
      Object.values(measuredOf(one, { privacy })[0]?.evidence.availability ?? {}).map(({ reason }) => reason);
    expect(reasons('none')).toEqual([undefined, undefined, 'no_extractor', 'no_extractor']);
    expect(reasons('no-face')).toEqual([undefined, undefined, 'privacy', 'no_extractor']);
    expect(reasons('text-only')).toEqual([undefined, 'privacy', 'privacy', 'privacy']);
  });

  it('refuses settings that are not positive.', () => {
    expect(() => create({ settings: { minCleanMs: -1 } })).toThrow(RangeError);
  });
});

describe('createSampleStore', () => {
  const word = fc.integer({ min: -32_768, max: 32_767 }).map((value) => value / 32_768);
  const any = fc.oneof({ weight: 9, arbitrary: word }, { weight: 1, arbitrary: fc.float({ noNaN: true }) });

  it('gives back exactly what was put in, whether 16 bits hold it or not.', () => {
    const put = fc.record({ at: fc.nat({ max: 40 }), samples: fc.array(any, { maxLength: 24 }) });
    fc.assert(
      fc.property(fc.array(put, { maxLength: 12 }), fc.nat({ max: 40 }), (puts, from) => {
        const store = createSampleStore(64);
        const plain = new Float32Array(64);
        for (const { at, samples } of puts) {
          store.put(Float32Array.from(samples), at);
          plain.set(samples, at);
        }
        const taken = new Float32Array(24);
        store.take(from, taken);
        // 0 and -0 are the same silence.
        expect(taken.map((sample) => sample + 0)).toEqual(plain.slice(from, from + 24).map((sample) => sample + 0));
      }),
    );
  });

  it('is silent where nothing was put in, and once it was cleared.', () => {
    for (const sample of [0.5, 0.1]) {
      const store = createSampleStore(8);
      store.put(Float32Array.of(sample), 3);
      store.clear();
      const taken = new Float32Array(8).fill(1);
      store.take(0, taken);
      expect([...taken]).toEqual(Array<number>(8).fill(0));
    }
  });
});

describe('createAudioRing', () => {
  it('returns what a plain recording of the same blocks would, as far back as it reaches.', () => {
    const block = fc.record({ skipMs: fc.constantFrom(0, 0, 0, 3, 150), samples: fc.integer({ min: 1, max: 900 }) });
    fc.assert(
      fc.property(
        fc.array(block, { maxLength: 30 }),
        fc.nat({ max: 400 }),
        fc.nat({ max: 200 }),
        (blocks, fromMs, lengthMs) => {
          const ring = createAudioRing(100);
          const plain: number[] = [];
          for (const { skipMs, samples } of blocks) {
            plain.push(...new Array<number>(Math.round(skipMs * 16)).fill(0));
            const startMs = plain.length / 16;
            const values = Float32Array.from({ length: samples }, (_, n) => Math.fround(Math.sin(plain.length + n)));
            ring.write(startMs, values);
            plain.push(...values);
          }
          const held = Math.max(0, plain.length - 1_600);
          const from = Math.max(fromMs * 16, held);
          const expected = plain.slice(from, Math.max(from, (fromMs + lengthMs) * 16));
          const firstSkip = blocks.length > 0 && (blocks[0]?.skipMs ?? 0) > 0 ? (blocks[0]?.skipMs ?? 0) * 16 : 0;
          if (from >= firstSkip)
            expect([...ring.read({ startMs: fromMs, endMs: fromMs + lengthMs })].slice(0, expected.length)).toEqual(
              expected,
            );
        },
      ),
      { numRuns: 200 },
    );
  });

  it('ignores what it has heard and forgets everything across a long hole.', () => {
    const ring = createAudioRing(10);
    ring.write(0, new Float32Array(32).fill(1));
    ring.write(1, new Float32Array(32).fill(2));
    expect([...ring.read({ startMs: 0, endMs: 3 })]).toEqual([
      ...Array<number>(32).fill(1),
      ...Array<number>(16).fill(2),
    ]);
    ring.write(1_000, new Float32Array(16).fill(3));
    expect(ring.read({ startMs: 0, endMs: 900 })).toHaveLength(0);
    expect([...ring.read({ startMs: 1_000, endMs: 2_000 })]).toEqual(Array<number>(16).fill(3));
  });
});

describe('collectEvidence of recognized speech', () => {
  const text = opened('asr:a', 'captions', ADA);
  const interrupted: Signal = {
    type: 'streamInterrupted',
    arrivalMs: 500,
    streamId: 'asr:a',
    reason: 'transcriber_down',
  };

  it('gives the model no text in a language it does not know.', () => {
    const [measured] = measuredOf([A, ...speech, aligned(1_000, 3_000, { text: 'ja', language: 'de' })]);
    expect(measured?.evidence.text).toBeUndefined();
    expect(measured?.evidence.availability.text).toEqual({ share: 0, reason: 'language' });
    expect(measured?.record.text).toBe('ja');
  });

  it('says that no recognizer works, as long as none does, of those whose text it is.', () => {
    const reasonOf = (signals: readonly Signal[], record: Partial<UtteranceRecord> = {}) =>
      measuredOf([A, text, ...signals, aligned(1_000, 3_000, record)])[0]?.evidence.availability.text.reason;
    const ben = { utterance: { id: 'u1', speaker: BEN, startMs: 1_000, endMs: 3_000 } };
    expect(reasonOf([interrupted])).toBe('transcriber_down');
    expect(reasonOf([interrupted], ben)).toBe('no_captions');
    expect(reasonOf([interrupted, { type: 'streamRestored', arrivalMs: 600, streamId: 'asr:a' }])).toBe('no_captions');
    expect(reasonOf([{ ...interrupted, streamId: 'a' }])).toBe('no_captions');
  });

  it('says the interruption of a text stream of several of everybody.', () => {
    const all: Signal = opened('asr', 'captions');
    const down = { ...interrupted, streamId: 'asr' } as Signal;
    const [measured] = measuredOf([A, all, down, aligned(1_000, 3_000)]);
    expect(measured?.evidence.availability.text.reason).toBe('transcriber_down');
  });
});
