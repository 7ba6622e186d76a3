import { posix } from 'node:path';
import { SEVEN_EMOTIONS } from '../../domain/labelSets.ts';
import { badDataset } from '../../training/datasetMeta.ts';
import { readCsv, type CsvRow } from './csvRows.ts';
import { findBelow } from './findFolder.ts';
import { toDataset, type ImportedDataset, type ImportNote, type ReleaseDialogue } from './importedDataset.ts';

const COLUMNS = [
  ...(['Sr No.', 'Utterance', 'Speaker', 'Emotion', 'Sentiment', 'Dialogue_ID', 'Utterance_ID'] as const),
  ...(['Season', 'Episode', 'StartTime', 'EndTime'] as const),
] as const;
type Row = CsvRow<(typeof COLUMNS)[number]>;

/** The splits of the release: labels, and the folders in which its clips are found. */
const SPLITS = [
  { split: 'train', file: 'train_sent_emo.csv', clips: ['train_splits'] },
  { split: 'dev', file: 'dev_sent_emo.csv', clips: ['dev_splits_complete', 'dev_splits'] },
  { split: 'test', file: 'test_sent_emo.csv', clips: ['output_repeated_splits_test'] },
] as const;

/**
 * Returns the dialogues of a MELD release (`MELD.Raw`), as far as its splits are there: text, speakers, labels, times in
 * the episode (as text) and the clip of each utterance. Dialogues are called `<split>_<number>`. Clips are found by their
 * exact name, so copies (`final_videos_test…`) and leftovers of a Mac (`._…`) stay aside.
 * @throws UndertoneError BAD_DATASET with file, line and rule: no split at all, a row that breaks the release's rules
 */
export async function readMeld(root: string): Promise<ImportedDataset> {
  const dialogues: ReleaseDialogue[] = [];
  const notes: ImportNote[] = [];
  for (const { split, file, clips } of SPLITS) {
    const path = await findBelow(root, [file]);
    if (path === undefined) {
      notes.push({ file, rule: 'it is not there; its split is left out' });
      continue;
    }
    const folder = await findBelow(root, clips);
    if (folder === undefined) notes.push({ file: clips[0], rule: 'the folder is not there; its split has no media' });
    dialogues.push(...toDialogues(await readCsv(root, path, { required: COLUMNS }), { split, file: path, folder }));
  }
  if (dialogues.length === 0) badDataset(root, `none of ${SPLITS.map(({ file }) => file).join(', ')} holds a row`);
  return {
    dataset: toDataset({ name: 'meld', labels: SEVEN_EMOTIONS, source: 'MELD.Raw (Poria et al. 2019)' }, dialogues),
    notes,
  };
}

type Origin = { readonly split: string; readonly file: string; readonly folder: string | undefined };
type Numbered = { readonly number: number; readonly utterance: ReleaseDialogue['utterances'][number] };

function toDialogues(rows: readonly Row[], origin: Origin): ReleaseDialogue[] {
  const dialogues = new Map<number, Map<number, Numbered>>();
  for (const row of rows) {
    const dialogue = wholeNumber(row, 'Dialogue_ID', origin.file);
    const number = wholeNumber(row, 'Utterance_ID', origin.file);
    const utterances = dialogues.get(dialogue) ?? new Map<number, Numbered>();
    if (utterances.has(number))
      badDataset(origin.file, `line ${row.line}: utterance ${dialogue}/${number} is there twice`);
    utterances.set(number, { number, utterance: toUtterance(row, dialogue, number, origin) });
    dialogues.set(dialogue, utterances);
  }
  return [...dialogues.entries()].map(([id, utterances]) => ({
    id: `${origin.split}_${id}`,
    split: origin.split,
    utterances: [...utterances.values()].sort((a, b) => a.number - b.number).map(({ utterance }) => utterance),
  }));
}

function toUtterance({ line, fields }: Row, dialogue: number, number: number, origin: Origin): Numbered['utterance'] {
  const label = SEVEN_EMOTIONS.find((name) => name === fields.Emotion?.toLowerCase());
  if (label === undefined) badDataset(origin.file, `line ${line}: its "Emotion" is none of MELD's seven`);
  const { folder } = origin;
  return {
    id: `${number}`,
    speaker: fields.Speaker ?? '',
    label: label ?? null,
    text: fields.Utterance,
    start: fields.StartTime,
    end: fields.EndTime,
    media:
      folder === undefined
        ? undefined
        : { video: posix.join(folder, `dia${dialogue}_utt${number}.mp4`), clips: ['video'] },
  };
}

function wholeNumber({ line, fields }: Row, column: 'Dialogue_ID' | 'Utterance_ID', file: string): number {
  const text = fields[column] ?? '';
  return /^\d{1,6}$/.test(text)
    ? Number(text)
    : badDataset(file, `line ${line}: its "${column}" is not a whole number`);
}
