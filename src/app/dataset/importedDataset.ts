import type { Dataset, LabelledUtterance } from '../../training/dataset.ts';
import { badDataset } from '../../training/datasetMeta.ts';

/** Something about a release that its user should know: a file (or folder) and what about it. Never what was said. */
export type ImportNote = { readonly file: string; readonly rule: string };

/** A release read into the form of format 1, without features; its media lie below the folder it was read from. */
export type ImportedDataset = { readonly dataset: Dataset; readonly notes: readonly ImportNote[] };

/** An utterance as a release describes it; `label` by name, null when it has none of the label set. */
export type ReleaseUtterance = Omit<LabelledUtterance, 'index' | 'label'> & { readonly label: string | null };

/** A dialogue as a release describes it. */
export type ReleaseDialogue = {
  readonly id: string;
  readonly split: string;
  readonly utterances: readonly ReleaseUtterance[];
};

/** Returns dialogues as a dataset without features: rows numbered, labels as positions. @throws UndertoneError BAD_DATASET */
export function toDataset(
  about: Pick<Dataset, 'name' | 'labels' | 'source'>,
  dialogues: readonly ReleaseDialogue[],
): Dataset {
  if (new Set(about.labels).size < 2) badDataset(about.name, 'it has fewer than two labels');
  let index = 0;
  const numbered = dialogues.map(({ id, split, utterances }) => ({
    id,
    split,
    utterances: utterances.map((u) => ({
      ...u,
      index: index++,
      label: positionOf(about.labels, u.label),
      text: u.text === '' ? undefined : u.text,
    })),
  }));
  return { ...about, dialogues: numbered, features: new Map() };
}

function positionOf(labels: readonly string[], label: string | null): number | undefined {
  const position = label === null ? -1 : labels.indexOf(label);
  return position < 0 ? undefined : position;
}
