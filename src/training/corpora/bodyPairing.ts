import type { Dataset, LabelledDialogue } from '../dataset.ts';
import type { BodyDataset } from './bodyMotion.ts';

/** Which emotions a movement may be lent to when its style names none, by activation. Our decision, and a coarse one. */
const BY_ACTIVATION: Readonly<Record<string, readonly string[]>> = {
  high: ['surprise', 'fear'],
  low: ['disgust'],
};

/**
 * Returns filmed clips as a dataset in the label set of the dialogues, for label-conditioned pairing: a clip counts for the
 * emotion of its style; other clips count for the emotions that {@link BY_ACTIVATION} gives their activation, so that no
 * label goes without bodies (else the mere presence of one would give the label away). For the same reason all clips are
 * of one donor: no capture batch has every style. All of it is one split, "train".
 */
export function toPairingDataset({ dataset, emotions }: BodyDataset, labels: readonly string[]): Dataset {
  const dialogues = dataset.dialogues.flatMap((dialogue): LabelledDialogue[] =>
    dialogue.utterances.flatMap((utterance) => {
      const own = emotions[utterance.index];
      const activation = utterance.label === undefined ? undefined : dataset.labels[utterance.label];
      const names = own === undefined ? (BY_ACTIVATION[activation ?? ''] ?? []) : [own];
      return names.flatMap((name) => {
        const label = labels.indexOf(name);
        if (label < 0) return [];
        return [
          { id: `${dialogue.id}:${name}`, split: 'train', utterances: [{ ...utterance, label, speaker: 'anyone' }] },
        ];
      });
    }),
  );
  return { ...dataset, labels, dialogues };
}
