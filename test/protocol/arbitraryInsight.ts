import fc from 'fast-check';
import { UTTERANCE_STATUSES, type Insight } from '../../src/domain/insight.ts';
import { MISSING_REASONS, MODALITIES, type Availability } from '../../src/domain/modality.ts';
import { SPEAKER_SOURCES, type Speaker } from '../../src/domain/speaker.ts';

const ms = fc.double({ min: 0, max: 1e8, noNaN: true });
const ratio = fc.double({ min: 0, max: 1, noNaN: true });
const reason = fc.constantFrom(...MISSING_REASONS);
const label = fc.stringMatching(/^[a-z]{1,12}$/);
const id = fc.string({ minLength: 1, maxLength: 12 });
const stamp = { seq: fc.integer({ min: 1, max: 1e9 }), atMs: ms };
const text = fc.string({ unit: 'binary', maxLength: 60 });

const speaker: fc.Arbitrary<Speaker> = fc.record({ id, name: text, source: fc.constantFrom(...SPEAKER_SOURCES) });

const withOptional = <T extends object, K extends string, V>(
  base: fc.Arbitrary<T>,
  key: K,
  value: fc.Arbitrary<V>,
): fc.Arbitrary<T & { [P in K]?: V }> =>
  fc
    .tuple(base, fc.option(value))
    .map(([rest, one]) => (one === null ? rest : { ...rest, [key]: one }) as T & { [P in K]?: V });

const availability: fc.Arbitrary<Availability> = withOptional(fc.record({ share: ratio }), 'reason', reason);

const perModality = <T>(value: fc.Arbitrary<T>): fc.Arbitrary<{ text: T; audio: T; face: T; body: T }> =>
  fc.record({ text: value, audio: value, face: value, body: value });

/** Weights that sum to 1 (some exactly 0), or are all 0. */
export const weights: fc.Arbitrary<{ text: number; audio: number; face: number; body: number }> = perModality(
  fc.oneof(fc.constant(0), fc.double({ min: 1e-9, max: 1, noNaN: true })),
).map((raw) => {
  const sum = raw.text + raw.audio + raw.face + raw.body || 1;
  return { text: raw.text / sum, audio: raw.audio / sum, face: raw.face / sum, body: raw.body / sum };
});

/** Shares by label that sum to 1 up to the last bit, as a softmax gives them. */
export const shares: fc.Arbitrary<Record<string, number>> = fc
  .uniqueArray(label, { minLength: 1, maxLength: 12 })
  .chain((labels) =>
    fc
      .array(fc.double({ min: 1e-9, max: 1, noNaN: true }), { minLength: labels.length, maxLength: labels.length })
      .map((raw) => {
        const sum = raw.reduce((a, b) => a + b, 0);
        return Object.fromEntries(labels.map((one, index) => [one, (raw[index] ?? 0) / sum]));
      }),
  );

const session: fc.Arbitrary<Insight> = fc.record(
  {
    type: fc.constant('session' as const),
    ...stamp,
    labels: fc.array(id, { minLength: 1, maxLength: 9 }),
    privacy: text,
    weights: text,
    backend: text,
    lookAhead: fc.nat(20),
    vision: fc.subarray(['face', 'body'] as const),
  },
  { requiredKeys: ['type', 'seq', 'atMs', 'labels', 'privacy', 'weights', 'backend', 'lookAhead'] },
);

const utterance: fc.Arbitrary<Insight> = fc
  .record({
    type: fc.constant('utterance' as const),
    ...stamp,
    utteranceId: id,
    status: fc.constantFrom(...UTTERANCE_STATUSES),
    revision: fc.nat(9),
    speaker,
    startMs: ms,
    lengthMs: ms,
    text: fc.option(text),
    probabilities: shares,
    modalityWeights: weights,
    availability: perModality(availability),
    lookAhead: fc.nat(9),
    latencyMs: fc.double({ min: -1e6, max: 1e6, noNaN: true }),
    computeMs: ms,
  })
  .map(({ lengthMs, ...rest }) => {
    const [best, confidence] = Object.entries(rest.probabilities).reduce((a, b) => (b[1] > a[1] ? b : a));
    return { ...rest, endMs: rest.startMs + lengthMs, label: best, confidence };
  });

const modality: fc.Arbitrary<Insight> = withOptional(
  withOptional(
    fc.record({
      type: fc.constant('modality' as const),
      ...stamp,
      modality: fc.constantFrom(...MODALITIES),
      state: fc.constantFrom('present' as const, 'absent' as const),
    }),
    'speaker',
    speaker,
  ),
  'reason',
  reason,
);

const fault: fc.Arbitrary<Insight> = withOptional(
  fc.record({ type: fc.constant('fault' as const), ...stamp, code: id, message: text }),
  'streamId',
  text,
);

const interim: fc.Arbitrary<Insight> = withOptional(
  fc
    .record({ type: fc.constant('interim' as const), ...stamp, streamId: id, startMs: ms, lengthMs: ms, text })
    .map(({ lengthMs, ...rest }) => ({ ...rest, endMs: rest.startMs + lengthMs })),
  'speaker',
  speaker,
);

const renamed: fc.Arbitrary<Insight> = fc.record({
  type: fc.constant('speaker' as const),
  ...stamp,
  speakerId: id,
  speaker,
});

const gap: fc.Arbitrary<Insight> = fc
  .record({ type: fc.constant('gap' as const), ...stamp, streamId: id, startMs: ms, lengthMs: ms, reason })
  .map(({ lengthMs, ...rest }) => ({ ...rest, endMs: rest.startMs + lengthMs }));

const summary: fc.Arbitrary<Insight> = fc.record({
  type: fc.constant('summary' as const),
  ...stamp,
  durationMs: ms,
  utterances: fc.nat(1e6),
  speakers: fc.array(
    fc.record({
      speaker,
      talkMs: ms,
      utterances: fc.nat(1e5),
      emotionShares: shares,
      trajectory: fc.array(fc.record({ startMs: ms, label, confidence: ratio }), { maxLength: 9 }),
      availability: perModality(ratio),
    }),
    { maxLength: 4 },
  ),
  droppedWords: fc.nat(1e5),
  faults: fc.nat(1e5),
});

/** Any insight the domain allows, of every type, with and without its optional fields. */
export const anyInsight: fc.Arbitrary<Insight> = fc.oneof(
  session,
  interim,
  utterance,
  modality,
  renamed,
  gap,
  fault,
  summary,
);
