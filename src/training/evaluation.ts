import { MODALITIES, type Modality, perModality } from '../domain/modality.ts';
import type { UtteranceEvidence } from '../domain/utterance.ts';
import { UndertoneError } from '../errors.ts';
import type { InputSpec } from '../model/config.ts';
import { createEmotionModel } from '../model/conversation.ts';
import type { Weights } from '../model/weights.ts';
import type { Dataset, Feature, LabelledUtterance } from './dataset.ts';
import { bootstrapInterval, computeMetrics, type Metrics, type Outcome } from './metrics.ts';

/** Look-aheads that are reported; the last stands for the whole dialogue. */
export const LOOK_AHEADS: readonly number[] = [0, 1, 2, 4, 8, Infinity];
const WHOLE = 64;

/** Quality at one look-ahead, with the 95 % interval of the weighted F1 over dialogues. */
export type EvaluationRow = {
  readonly lookAhead: number;
  readonly metrics: Metrics;
  readonly interval: readonly [number, number];
};

/** What an evaluation found. `floor` is the weighted F1 of always answering the commonest label of the split. */
export type Evaluation = {
  readonly dataset: string;
  readonly split: string;
  readonly labels: readonly string[];
  readonly shown: readonly Modality[];
  readonly utterances: number;
  readonly floor: number;
  readonly rows: readonly EvaluationRow[];
};

/**
 * Classifies a split through the very path that serves live sessions, utterance by utterance, and measures each
 * look-ahead. @param shown the modalities the network is given
 * @throws UndertoneError BAD_DATASET when split, labels or features do not fit the weights
 */
export async function evaluate(
  weights: Weights,
  dataset: Dataset,
  split: string,
  shown: readonly Modality[] = MODALITIES,
): Promise<Evaluation> {
  const dialogues = dataset.dialogues.filter((dialogue) => dialogue.split === split);
  if (dialogues.length === 0)
    throw new UndertoneError('BAD_DATASET', `dataset ${dataset.name}: it has no split "${split}"`);
  if (!dialogues.some(({ utterances }) => utterances.some((u) => u.label !== undefined)))
    throw new UndertoneError('BAD_DATASET', `dataset ${dataset.name}: the split "${split}" has no labelled utterance`);
  const { labels } = weights.config;
  if (JSON.stringify(labels) !== JSON.stringify(dataset.labels))
    throw new UndertoneError(
      'BAD_DATASET',
      `dataset ${dataset.name}: its labels are not those of the weights (${labels.join(', ')})`,
    );
  const features = weights.config.inputs.map((input) => [input, featureFor(input, dataset)] as const);
  const model = createEmotionModel({ ...weights, config: { ...weights.config, lookAhead: WHOLE } });
  const outcomes = new Map<number, Outcome[]>(LOOK_AHEADS.map((lookAhead) => [lookAhead, []]));
  try {
    for (const { id, utterances } of dialogues) {
      const seen = await classifyDialogue(model.open(), utterances, (u) => toEvidence(u, features, shown));
      for (const u of utterances)
        for (const lookAhead of LOOK_AHEADS) {
          const probabilities = seen.get(`${u.index}`)?.get(lookAhead);
          if (u.label !== undefined && probabilities)
            outcomes.get(lookAhead)?.push({ dialogue: id, truth: u.label, probabilities });
        }
    }
  } finally {
    model.dispose();
  }
  const rows = [...outcomes].map(([lookAhead, list]) => ({
    lookAhead,
    metrics: computeMetrics(list, labels.length),
    interval: bootstrapInterval(list, labels.length),
  }));
  const truths = outcomes.get(0) ?? [];
  return {
    dataset: dataset.name,
    split,
    labels,
    shown,
    utterances: truths.length,
    floor: commonestFloor(truths, labels.length),
    rows,
  };
}

/** Probabilities of each utterance at each look-ahead: the last prediction that had seen no more than that. */
async function classifyDialogue(
  conversation: ReturnType<ReturnType<typeof createEmotionModel>['open']>,
  utterances: readonly LabelledUtterance[],
  evidenceOf: (utterance: LabelledUtterance) => UtteranceEvidence,
): Promise<Map<string, Map<number, readonly number[]>>> {
  const seen = new Map<string, Map<number, readonly number[]>>();
  for (const u of utterances) {
    const utterance = {
      id: `${u.index}`,
      speaker: { id: u.speaker, name: u.speaker, source: 'track' as const },
      startMs: 0,
      endMs: 0,
    };
    for (const prediction of await conversation.add(utterance, evidenceOf(u))) {
      const own = seen.get(prediction.utteranceId) ?? new Map<number, readonly number[]>();
      seen.set(prediction.utteranceId, own);
      for (const lookAhead of LOOK_AHEADS)
        if (prediction.lookAhead <= lookAhead) own.set(lookAhead, prediction.probabilities);
    }
  }
  return seen;
}

/** The dataset's feature for an input: of the same name, or the only one of its modality, kind and width. */
function featureFor(input: InputSpec, dataset: Dataset): Feature | undefined {
  if (input.kind === 'tokens') return undefined;
  const fitting = [...dataset.features.values()].filter(
    (f) => f.modality === input.modality && f.kind === input.kind && f.dim === input.dim,
  );
  return fitting.find((f) => f.name === input.name) ?? (fitting.length === 1 ? fitting[0] : undefined);
}

function toEvidence(
  u: LabelledUtterance,
  features: readonly (readonly [InputSpec, Feature | undefined])[],
  shown: readonly Modality[],
): UtteranceEvidence {
  const values = (name: string): Float32Array | undefined =>
    features.find(([input]) => input.name === name)?.[1]?.rowsOf(u.index);
  const prosody = values('prosody');
  const segments = values('segments');
  const has: Record<Modality, boolean> = {
    text: u.text !== undefined,
    audio: Boolean(prosody ?? segments),
    face: false,
    body: false,
  };
  return {
    ...(u.text !== undefined && { text: u.text }),
    ...(prosody && { prosody }),
    ...(segments && { segments }),
    availability: perModality((m) => ({ share: has[m] && shown.includes(m) ? 1 : 0 })),
  };
}

function commonestFloor(outcomes: readonly Outcome[], classes: number): number {
  const counts = Array.from({ length: classes }, (_, c) => outcomes.filter((o) => o.truth === c).length);
  const best = counts.indexOf(Math.max(...counts));
  const probabilities = counts.map((_, c) => (c === best ? 1 : 0));
  return computeMetrics(
    outcomes.map((o) => ({ ...o, probabilities })),
    classes,
  ).weightedF1;
}
