import type { Insight, ModalityInsight, SummaryInsight, UtteranceInsight } from '../../src/domain/insight.ts';
import { perModality, type Availability, type PerModality } from '../../src/domain/modality.ts';
import type { Speaker } from '../../src/domain/speaker.ts';

/** The label set of the sample session, in the order of MELD. */
export const LABELS: readonly string[] = ['neutral', 'surprise', 'fear', 'sadness', 'joy', 'disgust', 'anger'];

export const ANNA: Speaker = { id: 'anna', name: 'Anna', source: 'track' };
export const BEN: Speaker = { id: 'ben', name: 'Ben', source: 'track' };

/** Probabilities over {@link LABELS} with `confidence` on `label` and the rest shared evenly. */
function probabilitiesOf(label: string, confidence: number): Record<string, number> {
  const rest = (1 - confidence) / (LABELS.length - 1);
  return Object.fromEntries(LABELS.map((other) => [other, other === label ? confidence : rest]));
}

const TEXT_AND_AUDIO: PerModality<Availability> = {
  text: { share: 1 },
  audio: { share: 0.98, reason: 'overlap' },
  face: { share: 0, reason: 'no_extractor' },
  body: { share: 0, reason: 'no_video' },
};

const AUDIO_ONLY: PerModality<Availability> = {
  ...TEXT_AND_AUDIO,
  text: { share: 0, reason: 'no_captions' },
};

/** A final utterance of Anna; `label` and `confidence` decide the probabilities unless those are given. */
export function sampleUtterance(overrides: Partial<UtteranceInsight> = {}): UtteranceInsight {
  const label = overrides.label ?? 'joy';
  const confidence = overrides.confidence ?? 0.72;
  const endMs = overrides.endMs ?? 3_400;
  const hasText = overrides.text !== null;
  return {
    type: 'utterance',
    seq: 2,
    atMs: endMs + 400,
    utteranceId: 'u1',
    status: 'final',
    revision: 2,
    speaker: ANNA,
    startMs: 1_200,
    endMs,
    text: 'I got the job!',
    label,
    confidence,
    probabilities: probabilitiesOf(label, confidence),
    modalityWeights: hasText ? { text: 0.61, audio: 0.39, face: 0, body: 0 } : { text: 0, audio: 1, face: 0, body: 0 },
    availability: hasText ? TEXT_AND_AUDIO : AUDIO_ONLY,
    lookAhead: 3,
    latencyMs: 412,
    computeMs: 3,
    ...overrides,
  };
}

type Line = readonly [Speaker, number, number, string | null, string, number];

const CALL: readonly Line[] = [
  [ANNA, 1_200, 3_400, 'I got the job!', 'joy', 0.91],
  [BEN, 3_700, 5_100, 'Wait, really? The one in Lisbon?', 'surprise', 0.78],
  [ANNA, 5_500, 8_900, 'Yes. They called this morning, I still cannot believe it.', 'joy', 0.84],
  [BEN, 9_200, 10_300, 'That is wonderful.', 'joy', 0.66],
  [BEN, 11_000, 14_600, 'But what about the flat? We only just moved in.', 'sadness', 0.52],
  [ANNA, 15_200, 17_300, 'I know.', 'neutral', 0.47],
  [ANNA, 17_900, 21_800, 'I was afraid you would say that.', 'fear', 0.43],
  [BEN, 22_100, 25_400, null, 'neutral', 0.58],
  [BEN, 26_000, 29_900, null, 'anger', 0.61],
  [ANNA, 30_300, 32_000, 'Please do not shout at me.', 'sadness', 0.69],
  [BEN, 33_100, 35_800, 'Sorry. I am not angry with you.', 'neutral', 0.55],
  [ANNA, 36_200, 40_500, 'Then come with me – 一緒に行こう 🎉', 'joy', 0.73],
];

/** A whole session of 42 s: two speakers, provisional, revised and final insights, modality changes, a fault, a summary. */
export function sampleSession(): readonly Insight[] {
  const insights: Insight[] = [
    {
      type: 'session',
      seq: 0,
      atMs: 0,
      labels: LABELS,
      privacy: 'none',
      weights: 'meld-7',
      backend: 'wasm',
      lookAhead: 1,
    },
    modalityInsight({ atMs: 0, modality: 'face', state: 'absent', reason: 'no_extractor' }),
    modalityInsight({ atMs: 0, modality: 'body', state: 'absent', reason: 'no_video', speaker: ANNA }),
    modalityInsight({ atMs: 0, modality: 'body', state: 'absent', reason: 'no_video', speaker: BEN }),
  ];
  CALL.forEach((line, index) => {
    const now = utteranceOf(line, index);
    const before = CALL[index - 1];
    insights.push({ ...now, status: 'provisional', revision: 0, lookAhead: 0, atMs: now.endMs + 300 });
    if (before) insights.push({ ...utteranceOf(before, index - 1), revision: 1, lookAhead: 1, atMs: now.endMs + 300 });
    if (index === 8) {
      insights.push(
        modalityInsight({ atMs: 29_900, modality: 'text', state: 'absent', reason: 'no_captions', speaker: BEN }),
        {
          type: 'fault',
          seq: 0,
          atMs: 29_950,
          code: 'DECODE_ERROR',
          message: 'stream 1: 3 packets lost',
          streamId: 'a1',
        },
      );
    }
    if (index === 10) {
      insights.push(modalityInsight({ atMs: 35_800, modality: 'text', state: 'present', speaker: BEN }));
    }
  });
  const last = utteranceOf(CALL[CALL.length - 1]!, CALL.length - 1);
  insights.push({ ...last, revision: 1, lookAhead: 0, atMs: 42_000 }, sampleSummary());
  return insights.map((insight, index) => ({ ...insight, seq: index + 1 }));
}

/** A modality insight with `seq` 1. */
export function modalityInsight(rest: Omit<ModalityInsight, 'type' | 'seq'>): ModalityInsight {
  return { type: 'modality', seq: 1, ...rest };
}

/** The final utterances of {@link sampleSession}, in order of time. */
export function sampleFinals(): readonly UtteranceInsight[] {
  return CALL.map(utteranceOf);
}

/** The summary of {@link sampleSession}, computed from its final utterances. */
export function sampleSummary(): SummaryInsight {
  const finals = sampleFinals();
  return {
    type: 'summary',
    seq: 99,
    atMs: 42_000,
    durationMs: 42_000,
    utterances: finals.length,
    speakers: [ANNA, BEN].map((speaker) => summaryOf(speaker, finals)),
    droppedWords: 2,
    faults: 1,
  };
}

function summaryOf(speaker: Speaker, finals: readonly UtteranceInsight[]): SummaryInsight['speakers'][number] {
  const own = finals.filter((utterance) => utterance.speaker.id === speaker.id);
  const talkMs = own.reduce((total, { startMs, endMs }) => total + endMs - startMs, 0);
  const shareOf = (weigh: (utterance: UtteranceInsight) => number): number =>
    own.reduce((total, one) => total + ((one.endMs - one.startMs) / talkMs) * weigh(one), 0);
  return {
    speaker,
    talkMs,
    utterances: own.length,
    emotionShares: Object.fromEntries(LABELS.map((label) => [label, shareOf((one) => (one.label === label ? 1 : 0))])),
    trajectory: own.map(({ startMs, label, confidence }) => ({ startMs, label, confidence })),
    availability: perModality((modality) =>
      Math.min(
        1,
        shareOf((one) => one.availability[modality].share),
      ),
    ),
  };
}

function utteranceOf([speaker, startMs, endMs, text, label, confidence]: Line, index: number): UtteranceInsight {
  return sampleUtterance({
    utteranceId: `${speaker.id}-${index + 1}`,
    speaker,
    startMs,
    endMs,
    text,
    label,
    confidence,
    revision: 1,
    lookAhead: 1,
  });
}
