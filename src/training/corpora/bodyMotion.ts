import { BODY_COLUMNS, type BodyState, toBodyFrame } from '../../features/body/bodyFrame.ts';
import { MOVEMENT_COLUMNS, toMovement } from '../../features/body/movement.ts';
import { createRandom, deriveSeed } from '../../model/random.ts';
import type { Dataset, Feature, LabelledDialogue } from '../dataset.ts';
import type { BodyClip, BodyEmotion } from './bodyClips.ts';
import { filmBody, type FilmedPicture } from './filmBody.ts';

/** How clips become a dataset. */
export type BodyDatasetOptions = {
  /** The source of all randomness; the same seed gives the same numbers. */
  readonly seed: number;
  /** How often each clip is filmed, each time anew. 1 unless told. */
  readonly variants?: number;
  /** What a fold leaves out: one capture batch (`fold5`) or one kind of motion (`fold-walk`). `batch` unless told. */
  readonly splitBy?: 'batch' | 'content';
};

/** A dataset of filmed clips and, by utterance, the emotion its style stands for. */
export type BodyDataset = { readonly dataset: Dataset; readonly emotions: readonly (BodyEmotion | undefined)[] };

/** The label set of {@link toBodyDataset}: how activated the movement is. */
export const ACTIVATION_LABELS = ['low', 'high'] as const;

/**
 * Returns filmed clips (see {@link filmBody}) as a dataset: one dialogue of one utterance for each clip and variant, with
 * the sequence `body` of BODY_COLUMNS at 10 Hz and the vector `movement` of MOVEMENT_COLUMNS. The label is the activation,
 * absent where the style says nothing of it. Every variant of a clip is in the same split. A film in which nobody was ever
 * found lacks both features.
 * @throws RangeError when `variants` is not a positive whole number.
 */
export function toBodyDataset(
  clips: readonly BodyClip[],
  { seed, variants = 1, splitBy = 'batch' }: BodyDatasetOptions,
): BodyDataset {
  if (!Number.isInteger(variants) || variants < 1)
    throw new RangeError(`variants must be a positive whole number, got ${variants}`);
  const dialogues: LabelledDialogue[] = [];
  const emotions: (BodyEmotion | undefined)[] = [];
  const sequences: (Float32Array | undefined)[] = [];
  for (const clip of clips)
    for (let variant = 0; variant < variants; variant++) {
      dialogues.push(toDialogue(clip, `${clip.file}#${variant}`, splitBy, emotions.length));
      emotions.push(clip.emotion);
      sequences.push(toSequence(filmBody(clip, createRandom(deriveSeed(seed, clip.file, variant)))));
    }
  const dim = BODY_COLUMNS.length;
  const body: Feature = { name: 'body', modality: 'body', kind: 'sequence', dim, rowsOf: (u) => sequences[u] };
  const features = new Map([body, toMovementFeature(sequences)].map((feature) => [feature.name, feature]));
  return { dataset: { name: 'body-motion', labels: ACTIVATION_LABELS, dialogues, features }, emotions };
}

/** One vector for each film, made when asked for. */
function toMovementFeature(sequences: readonly (Float32Array | undefined)[]): Feature {
  return {
    name: 'movement',
    modality: 'body',
    kind: 'vector',
    dim: MOVEMENT_COLUMNS.length,
    columns: MOVEMENT_COLUMNS,
    rowsOf: (u) => {
      const rows = sequences[u];
      return rows && toMovement(rows);
    },
  };
}

function toDialogue(clip: BodyClip, id: string, splitBy: 'batch' | 'content', index: number): LabelledDialogue {
  return {
    id,
    split: splitBy === 'batch' ? `fold${clip.batch}` : `fold-${clip.content}`,
    utterances: [
      {
        index,
        id: '0',
        speaker: `batch${clip.batch}`,
        label: clip.activation === undefined ? undefined : ACTIVATION_LABELS.indexOf(clip.activation),
        text: undefined,
      },
    ],
  };
}

function toSequence(pictures: readonly FilmedPicture[]): Float32Array | undefined {
  const rows = new Float32Array(pictures.length * BODY_COLUMNS.length);
  let state: BodyState | undefined;
  let isSeen = false;
  for (const [i, { joints, elapsedS }] of pictures.entries()) {
    const frame = toBodyFrame(joints, state, elapsedS);
    rows.set(frame.row, i * BODY_COLUMNS.length);
    state = frame.state;
    isSeen ||= state !== undefined;
  }
  return isSeen ? rows : undefined;
}
