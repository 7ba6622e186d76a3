import { describe, expect, it } from 'vitest';
import type { BodyEmotion } from '../../../src/training/corpora/bodyClips.ts';
import { ACTIVATION_LABELS, type BodyDataset } from '../../../src/training/corpora/bodyMotion.ts';
import { toPairingDataset } from '../../../src/training/corpora/bodyPairing.ts';
import type { Feature } from '../../../src/training/dataset.ts';

const SEVEN = ['neutral', 'surprise', 'fear', 'sadness', 'joy', 'disgust', 'anger'];
const body: Feature = {
  name: 'body',
  modality: 'body',
  kind: 'sequence',
  dim: 1,
  rowsOf: (u) => Float32Array.of(u),
};

/** Filmed clips: what each one's style stands for, and how activated it is. */
function filmed(...clips: (readonly [BodyEmotion | undefined, 'low' | 'high' | undefined])[]): BodyDataset {
  return {
    emotions: clips.map(([emotion]) => emotion),
    dataset: {
      name: 'body-motion',
      labels: ACTIVATION_LABELS,
      features: new Map([['body', body]]),
      dialogues: clips.map(([, activation], index) => ({
        id: `clip${index}`,
        split: `fold${index}`,
        utterances: [
          {
            index,
            id: '0',
            speaker: `batch${index}`,
            label: activation === undefined ? undefined : ACTIVATION_LABELS.indexOf(activation),
            text: undefined,
          },
        ],
      })),
    },
  };
}

const lentTo = (set: BodyDataset, labels: readonly string[] = SEVEN): (string | undefined)[][] =>
  toPairingDataset(set, labels).dialogues.map(({ id, utterances }) => [id, labels[utterances[0]?.label ?? -1]]);

describe('toPairingDataset', () => {
  it('counts a clip for the emotion of its style, whatever its activation.', () => {
    const set = filmed(['anger', 'high'], ['joy', 'high'], ['sadness', 'low'], ['neutral', undefined]);
    expect(lentTo(set)).toEqual([
      ['clip0:anger', 'anger'],
      ['clip1:joy', 'joy'],
      ['clip2:sadness', 'sadness'],
      ['clip3:neutral', 'neutral'],
    ]);
  });

  it('counts other clips for the emotions of their activation, and those without any for none.', () => {
    expect(lentTo(filmed([undefined, 'high'], [undefined, 'low'], [undefined, undefined]))).toEqual([
      ['clip0:surprise', 'surprise'],
      ['clip0:fear', 'fear'],
      ['clip1:disgust', 'disgust'],
    ]);
  });

  it('leaves no label of the dialogues without bodies when all kinds of clips are there.', () => {
    const set = filmed(
      ...(['anger', 'joy', 'sadness', 'neutral'] as const).map((emotion) => [emotion, undefined] as const),
      [undefined, 'high'],
      [undefined, 'low'],
    );
    expect(new Set(lentTo(set).map(([, label]) => label))).toEqual(new Set(SEVEN));
  });

  it('gives positions in the label set of the dialogues, and leaves out emotions that it lacks.', () => {
    expect(lentTo(filmed(['anger', 'high'], [undefined, 'high']), ['fear', 'calm'])).toEqual([['clip1:fear', 'fear']]);
    expect(toPairingDataset(filmed(['joy', 'high']), ['calm', 'joy']).dialogues[0]?.utterances[0]?.label).toBe(1);
  });

  it('is one split, with the labels that were asked for, and the films of the clips under the same rows.', () => {
    const set = filmed([undefined, 'high'], ['joy', 'high']);
    const paired = toPairingDataset(set, SEVEN);
    expect(new Set(paired.dialogues.map(({ split }) => split))).toEqual(new Set(['train']));
    expect(paired.labels).toEqual(SEVEN);
    expect(paired.features.get('body')).toBe(body);
    const rows = paired.dialogues.map(({ utterances }) => body.rowsOf(utterances[0]!.index)?.[0]);
    expect(rows).toEqual([0, 0, 1]);
    expect(set.dataset.dialogues.map(({ split }) => split)).toEqual(['fold0', 'fold1']);
  });
});
