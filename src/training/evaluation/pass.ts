import { type Modality, perModality } from '../../domain/modality.ts';
import type { Utterance, UtteranceEvidence } from '../../domain/utterance.ts';
import type { InputSpec, ModelConfig } from '../../model/config.ts';
import { createVariant, type EmotionModel, type SavableConversation } from '../../model/conversation.ts';
import { hasField, signalOf } from '../../model/evidence.ts';
import type { Ablation } from '../../model/fusion.ts';
import { createTokenizer } from '../../model/tokenizer.ts';
import type { Weights } from '../../model/weights.ts';
import type { Hidden } from './hiddenModalities.ts';
import type { EvaluatedDialogue, EvaluatedSplit, EvaluatedUtterance } from './split.ts';
import type { Outcome } from '../metrics.ts';

/** The look-ahead that stands for the whole dialogue, in utterances: the most that a window may hold. */
const WHOLE = 64;

/** How a split is classified once. By default everything is shown to the network as it is. */
export type Pass = {
  readonly hidden?: Hidden;
  /**
   * What stands in the place of what is hidden: nothing (masked, the method's way), or, for the modalities `of`, zeros
   * that are claimed to be present: as many rows as are hidden, of normalised zeros (the mean of the training data), and
   * one unknown word for a text. An utterance that never had the modality gets none.
   */
  readonly fill?: { readonly kind: 'zeros'; readonly of: readonly Modality[] };
  readonly without?: Ablation;
  /** Speakers to go by in place of the real ones, for each dialogue and utterance. */
  readonly speakers?: readonly (readonly string[])[];
};

/** What a pass reports to, and asks whether to stop. */
export type PassControl = {
  /** Called after every dialogue with the number of its utterances. */
  readonly advance: (utterances: number) => void;
  readonly isStopped: () => boolean;
};

/** Outcomes of every labelled utterance, in order, by look-ahead. */
export type PassOutcomes = ReadonlyMap<number, readonly Outcome[]>;

/**
 * Classifies a split through the very path that serves live sessions, utterance by utterance, each encoded once for all
 * look-aheads. Signals go on at whole dialogues; returns nothing when it was told to stop.
 */
export async function runPass(
  weights: Weights,
  split: EvaluatedSplit,
  options: Pass & PassControl & { readonly lookAheads: readonly number[] },
): Promise<PassOutcomes | undefined> {
  const { lookAheads } = options;
  const outcomes = new Map<number, Outcome[]>(lookAheads.map((lookAhead) => [lookAhead, []]));
  const model = createModel(weights, options.without);
  try {
    for (const [d, dialogue] of split.dialogues.entries()) {
      await new Promise((resolve) => setImmediate(resolve)); // lets signals and other work through
      if (options.isStopped()) return undefined;
      const seen = await classifyDialogue(model.open(), toSaid(weights, dialogue, d, options), lookAheads);
      for (const { id, truth } of dialogue.utterances)
        for (const lookAhead of lookAheads) {
          const probabilities = seen.get(id)?.get(lookAhead);
          if (truth !== undefined && probabilities)
            outcomes.get(lookAhead)?.push({ dialogue: dialogue.id, truth, probabilities });
        }
      options.advance(dialogue.utterances.length);
    }
    return outcomes;
  } finally {
    model.dispose();
  }
}

/** A text that no utterance is shown with, since it has no word. */
const UNKNOWN_WORD = '\u0000';

function createModel(weights: Weights, without: Ablation | undefined): EmotionModel {
  const { vocabulary, buckets } = weights.config;
  const tokenize = createTokenizer(vocabulary, buckets);
  return createVariant(
    { ...weights, config: { ...weights.config, lookAhead: WHOLE } },
    {
      ...(without && { without: new Set([without]) }),
      tokenize: (text) => (text === UNKNOWN_WORD ? [{ word: 0, grams: [] }] : tokenize(text)),
    },
  );
}

type Said = { readonly utterance: Utterance; readonly evidence: UtteranceEvidence };

function toSaid(weights: Weights, { utterances }: EvaluatedDialogue, d: number, pass: Pass): Said[] {
  return utterances.map((u, i) => {
    const speaker = pass.speakers?.[d]?.[i] ?? u.speaker;
    const hidden = pass.hidden?.[d]?.[i] ?? new Set<Modality>();
    return {
      utterance: { id: u.id, speaker: { id: speaker, name: speaker, source: 'track' }, startMs: 0, endMs: 0 },
      evidence: pass.fill ? zeroFilled(weights, u, { hidden, filled: pass.fill.of }) : masked(u, hidden),
    };
  });
}

function masked({ evidence, present }: EvaluatedUtterance, hidden: ReadonlySet<Modality>): UtteranceEvidence {
  const availability = perModality((m) => ({ share: present.includes(m) && !hidden.has(m) ? 1 : 0 }));
  return { ...evidence, availability };
}

/** What is hidden and filled is replaced by what says nothing, and claimed to be there; what is only hidden is masked. */
function zeroFilled(
  { config, values }: Weights,
  u: EvaluatedUtterance,
  { hidden, filled }: { readonly hidden: ReadonlySet<Modality>; readonly filled: readonly Modality[] },
): UtteranceEvidence {
  const { evidence } = u;
  const fields: Record<string, Float32Array> = {};
  const vectors: Record<string, Float32Array> = {};
  for (const input of config.inputs) {
    const rows = input.kind === 'tokens' ? undefined : signalOf(input, evidence);
    if (!rows) continue;
    const shown = hidden.has(input.modality) ? meanRows(input, values, rows.length) : rows;
    (hasField(input.name) ? fields : vectors)[input.name] = shown;
  }
  const { availability } = masked(u, new Set([...hidden].filter((modality) => !filled.includes(modality))));
  const text = evidence.text !== undefined && hidesWords(config, hidden) ? UNKNOWN_WORD : evidence.text;
  return { ...(text !== undefined && { text }), ...fields, vectors, availability };
}

/** Values that normalise to exactly 0: the mean that is stored with the weights. */
function meanRows(input: InputSpec, values: Weights['values'], length: number): Float32Array {
  const mean = values.get(`${input.name}.mean`) as Float32Array;
  return Float32Array.from({ length }, (_, i) => mean[i % input.dim] as number);
}

function hidesWords({ inputs }: ModelConfig, hidden: ReadonlySet<Modality>): boolean {
  return inputs.some((input) => input.kind === 'tokens' && hidden.has(input.modality));
}

/** Probabilities of each utterance at each look-ahead: the last prediction that had seen no more than that. */
async function classifyDialogue(
  conversation: SavableConversation,
  said: readonly Said[],
  lookAheads: readonly number[],
): Promise<Map<string, Map<number, readonly number[]>>> {
  const seen = new Map<string, Map<number, readonly number[]>>();
  for (const { utterance, evidence } of said)
    for (const prediction of await conversation.add(utterance, evidence)) {
      const own = seen.get(prediction.utteranceId) ?? new Map<number, readonly number[]>();
      seen.set(prediction.utteranceId, own);
      for (const lookAhead of lookAheads)
        if (prediction.lookAhead <= lookAhead) own.set(lookAhead, prediction.probabilities);
    }
  return seen;
}
