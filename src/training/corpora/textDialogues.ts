import { basename } from 'node:path';
import { z } from 'zod';
import type { Dataset, LabelledDialogue, LabelledUtterance } from '../dataset.ts';
import { parseRows, readCorpusText, corpusName } from './textCorpus.ts';

const Row = z.object({
  text: z.string(),
  split: z.string(),
  label: z.union([z.string(), z.array(z.string()), z.null()]).optional(),
  dialogue: z.string().nullish(),
  turn: z.number().nullish(),
  speaker: z.string().nullish(),
});
type TextTurn = z.infer<typeof Row>;

/**
 * Reads a text corpus as dialogues in the label set `labels`, by the rows' `label`, `dialogue`, `turn` and `speaker`: a
 * row without a dialogue is a dialogue of its own; one with several labels, or with none of the set, is unlabelled but still
 * part of the context. Its name is `<corpus>:dialogues`; its splits are the corpus's.
 * @throws UndertoneError BAD_DATASET with the file, the line and the rule
 */
export async function readTextDialogues(path: string, labels: readonly string[]): Promise<Dataset> {
  const rows = parseRows(await readCorpusText(path), basename(path), Row, 'it needs "text" and "split"');
  const groups = new Map<string, TextTurn[]>();
  rows.forEach((row, i) => {
    const key = row.dialogue == null ? `row ${i}` : `${row.split}/${row.dialogue}`;
    const group = groups.get(key);
    if (group) group.push(row);
    else groups.set(key, [row]);
  });
  let index = 0;
  const dialogues = [...groups].map(([id, turns]): LabelledDialogue => {
    const ordered = turns.sort((a, b) => (a.turn ?? 0) - (b.turn ?? 0));
    const utterances = ordered.map((row, i) => toUtterance(row, index++, `${i}`, labels));
    return { id, split: ordered[0]?.split ?? '', utterances };
  });
  return { name: `${corpusName(path)}:dialogues`, labels, dialogues, features: new Map() };
}

function toUtterance(row: TextTurn, index: number, id: string, labels: readonly string[]): LabelledUtterance {
  const own = [row.label ?? []].flat();
  const label = own.length === 1 ? labels.indexOf(own[0] ?? '') : -1;
  return { index, id, speaker: row.speaker ?? 'unknown', label: label < 0 ? undefined : label, text: row.text };
}
