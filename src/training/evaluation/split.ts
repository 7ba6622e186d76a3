import { MODALITIES, type Modality, perModality } from '../../domain/modality.ts';
import type { UtteranceEvidence } from '../../domain/utterance.ts';
import { UndertoneError } from '../../errors.ts';
import type { InputSpec, ModelConfig } from '../../model/config.ts';
import { hasField } from '../../model/evidence.ts';
import { toWords } from '../../model/tokenizer.ts';
import type { Dataset, Feature, LabelledUtterance } from '../dataset.ts';

/** One utterance of a split: who said it, its label, and everything of it that the weights can hear. */
export type EvaluatedUtterance = {
  readonly id: string;
  readonly speaker: string;
  /** Position in the label set; `undefined` = unlabelled: heard, not counted. */
  readonly truth: number | undefined;
  /** The availability of a modality is 1 where an input has rows or words, else 0. */
  readonly evidence: UtteranceEvidence;
  readonly present: readonly Modality[];
};

/** One dialogue of a split, in order of time. */
export type EvaluatedDialogue = { readonly id: string; readonly utterances: readonly EvaluatedUtterance[] };

/** A split as one model reads it. */
export type EvaluatedSplit = {
  readonly dataset: string;
  readonly split: string;
  readonly labels: readonly string[];
  readonly dialogues: readonly EvaluatedDialogue[];
  /** Modalities that at least one utterance has and the weights read. */
  readonly modalities: readonly Modality[];
  /** Which feature each input was fed from; `text` for words, `null` where the dataset has nothing that fits. */
  readonly sources: Readonly<Record<string, string | null>>;
};

/** Reads a split for a model. @throws UndertoneError BAD_DATASET when split or labels do not fit the weights */
export function readSplit(config: ModelConfig, dataset: Dataset, split: string): EvaluatedSplit {
  const refuse = (rule: string): never => {
    throw new UndertoneError('BAD_DATASET', `dataset ${dataset.name}: ${rule}`);
  };
  const own = dataset.dialogues.filter((dialogue) => dialogue.split === split);
  if (own.length === 0) refuse(`it has no split "${split}"`);
  if (!own.some(({ utterances }) => utterances.some((u) => u.label !== undefined)))
    refuse(`the split "${split}" has no labelled utterance`);
  if (JSON.stringify(config.labels) !== JSON.stringify(dataset.labels))
    refuse(`its labels are not those of the weights (${config.labels.join(', ')})`);
  const features = config.inputs.map((input) => [input, featureFor(input, dataset)] as const);
  const dialogues = own.map(({ id, utterances }) => ({ id, utterances: utterances.map((u) => read(u, features)) }));
  const heard = new Set(dialogues.flatMap(({ utterances }) => utterances.flatMap(({ present }) => present)));
  return {
    dataset: dataset.name,
    split,
    labels: config.labels,
    dialogues,
    modalities: MODALITIES.filter((modality) => heard.has(modality)),
    sources: Object.fromEntries(
      features.map(([input, feature]) => [input.name, input.kind === 'tokens' ? 'text' : (feature?.name ?? null)]),
    ),
  };
}

/**
 * The dataset's feature for an input: of the same name, or the only one of its modality, kind and width. A sequence for
 * which there is none is fed from a vector of that width, found by the same rule, as its one row.
 */
function featureFor(input: InputSpec, dataset: Dataset): Feature | undefined {
  if (input.kind === 'tokens') return undefined;
  for (const kind of input.kind === 'sequence' ? ['sequence', 'vector'] : ['vector']) {
    const fitting = [...dataset.features.values()].filter(
      (f) => f.modality === input.modality && f.kind === kind && f.dim === input.dim,
    );
    const found = fitting.find((f) => f.name === input.name) ?? (fitting.length === 1 ? fitting[0] : undefined);
    if (found) return found;
  }
  return undefined;
}

function read(
  u: LabelledUtterance,
  features: readonly (readonly [InputSpec, Feature | undefined])[],
): EvaluatedUtterance {
  const fields: Record<string, Float32Array> = {};
  const vectors: Record<string, Float32Array> = {};
  const present = new Set<Modality>();
  let text: string | undefined;
  for (const [input, feature] of features) {
    if (input.kind === 'tokens') {
      text = u.text;
      if (toWords(u.text ?? '').length > 0) present.add('text');
      continue;
    }
    const rows = feature?.rowsOf(u.index);
    if (!rows || rows.length === 0) continue;
    present.add(input.modality);
    (hasField(input.name) ? fields : vectors)[input.name] = rows;
  }
  return {
    id: `${u.index}`,
    speaker: u.speaker,
    truth: u.label,
    evidence: {
      ...(text !== undefined && { text }),
      ...fields,
      vectors,
      availability: perModality((m) => ({ share: present.has(m) ? 1 : 0 })),
    },
    present: MODALITIES.filter((modality) => present.has(modality)),
  };
}
