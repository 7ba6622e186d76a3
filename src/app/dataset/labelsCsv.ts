import { extname } from 'node:path';
import { badDataset, isPathInside } from '../../training/datasetMeta.ts';
import { readCsv, type CsvRow } from './csvRows.ts';
import { toDataset, type ImportedDataset, type ReleaseDialogue, type ReleaseUtterance } from './importedDataset.ts';

/** The file that describes a folder of media. */
export const LABELS_FILE = 'labels.csv';

const REQUIRED = ['file', 'label'] as const;
const OPTIONAL = ['speaker', 'dialogue', 'start', 'end', 'text', 'split'] as const;
type Row = CsvRow<(typeof REQUIRED)[number] | (typeof OPTIONAL)[number]>;

const VIDEO = new Set([
  '.mp4',
  '.m4v',
  '.mkv',
  '.webm',
  '.avi',
  '.mov',
  '.mpg',
  '.mpeg',
  '.wmv',
  '.flv',
  '.ts',
  '.mxf',
]);

/**
 * Returns the dataset that `labels.csv` describes: a row per utterance with `file` (a path inside the folder) and `label`
 * (may be empty: none), and, as far as there are columns, `speaker`, `dialogue` (without it each file is one), `start` and
 * `end` (seconds in the file; both or neither), `text` and `split` (without it `train`). Labels are in alphabetical order.
 * Within a dialogue rows with times are in order of time, others in the order of the file.
 * @throws UndertoneError BAD_DATASET with line and rule
 */
export async function readLabels(folder: string, name: string): Promise<ImportedDataset> {
  const rows = await readCsv(folder, LABELS_FILE, { required: REQUIRED, optional: OPTIONAL });
  if (rows.length === 0) badDataset(LABELS_FILE, 'it has no row');
  const dialogues = new Map<string, Draft>();
  const seen = new Set<string>();
  for (const row of rows) {
    const utterance = toUtterance(row);
    const { file = '', dialogue = '', split = '' } = row.fields;
    const key = JSON.stringify([file, utterance.start, utterance.end]);
    if (seen.has(key)) fail(row, 'the same part of the same file is there twice');
    seen.add(key);
    const id = dialogue === '' ? file : dialogue;
    const draft = dialogues.get(id) ?? { split: split === '' ? 'train' : split, utterances: [] };
    if (draft.split !== (split === '' ? 'train' : split)) fail(row, 'its dialogue is in another split above');
    draft.utterances.push(utterance);
    dialogues.set(id, draft);
  }
  const labels = [...new Set(rows.flatMap(({ fields }) => (fields.label ? [fields.label] : [])))].sort();
  if (labels.length < 2) badDataset(LABELS_FILE, 'it has fewer than two labels');
  return { dataset: toDataset({ name, labels }, [...dialogues].map(toDialogue)), notes: [] };
}

type Draft = { readonly split: string; readonly utterances: Omit<ReleaseUtterance, 'id'>[] };

function toDialogue([id, { split, utterances }]: readonly [string, Draft]): ReleaseDialogue {
  const areTimed = utterances.every(({ start }) => start !== undefined);
  const inOrder = areTimed ? [...utterances].sort((a, b) => Number(a.start) - Number(b.start)) : utterances;
  return { id, split, utterances: inOrder.map((u, i) => ({ ...u, id: `${i}` })) };
}

function toUtterance(row: Row): Omit<ReleaseUtterance, 'id'> {
  const { file = '', label = '', speaker = '', text } = row.fields;
  if (file === '') fail(row, '"file" is empty');
  if (!isPathInside(file)) fail(row, '"file" leaves the folder');
  const [start, end] = [toSeconds(row, 'start'), toSeconds(row, 'end')];
  if ((start === undefined) !== (end === undefined)) fail(row, '"start" and "end" must be both there, or neither');
  if (start !== undefined && end !== undefined && end <= start) fail(row, '"end" must be after "start"');
  const media = VIDEO.has(extname(file).toLowerCase()) ? { video: file } : { audio: file };
  const who = speaker === '' ? 'unknown' : speaker;
  return { speaker: who, label: label === '' ? null : label, text, start, end, media };
}

function toSeconds(row: Row, column: 'start' | 'end'): number | undefined {
  const text = row.fields[column] ?? '';
  if (text === '') return undefined;
  return /^\d{1,6}(?:\.\d+)?$/.test(text) ? Number(text) : fail(row, `"${column}" is not a number of seconds`);
}

function fail({ line }: Row, rule: string): never {
  return badDataset(LABELS_FILE, `line ${line}: ${rule}`);
}
