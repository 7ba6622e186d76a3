import { join, posix } from 'node:path';
import { badDataset } from '../../training/datasetMeta.ts';
import { exists, filesIn, findBelow } from './findFolder.ts';
import {
  toDataset,
  type ImportedDataset,
  type ImportNote,
  type ReleaseDialogue,
  type ReleaseUtterance,
} from './importedDataset.ts';
import { readTextFile } from './textFile.ts';

/** The six classes that are customary, by the codes of the release; utterances of other codes have no label. */
const CODES: Readonly<Record<string, string>> = {
  hap: 'happy',
  sad: 'sad',
  neu: 'neutral',
  ang: 'angry',
  exc: 'excited',
  fru: 'frustrated',
};
const SESSIONS = [1, 2, 3, 4, 5] as const;

/** `Ses01F_impro01_F000 [006.2901-008.2357]: Excuse me.` */
const TRANSCRIPT_LINE = /^(\w+)_([FM](?:XX)?\d{1,4}) \[(\d+(?:\.\d+)?)-(\d+(?:\.\d+)?)\]:(.*)$/;
/** `[6.2901 - 8.2357]⇥Ses01F_impro01_F000⇥neu⇥[2.5000, 2.5000, 2.5000]` */
const EVALUATION_LINE = /^\[(\d+(?:\.\d+)?) - (\d+(?:\.\d+)?)\]\s+(\w+)_([FM](?:XX)?\d{1,4})\s+([a-z]{2,4})\s/;

/**
 * Returns the dialogues of `IEMOCAP_full_release`, one split (`fold0` … `fold4`) for each session: text, times in the
 * dialogue (seconds), six labels (others have none; the code is kept as `sourceLabel`), `F` or `M` as the speaker, the clip
 * of each utterance's sound and the video of the whole dialogue. An utterance with a transcript but no evaluation, or the
 * reverse, is kept; lines of neither form (noises without times) are counted in the notes.
 * @throws UndertoneError BAD_DATASET when no session holds a dialogue
 */
export async function readIemocap(root: string): Promise<ImportedDataset> {
  const dialogues: ReleaseDialogue[] = [];
  const notes: ImportNote[] = [];
  for (const number of SESSIONS) {
    const session = await findBelow(root, [`Session${number}`]);
    if (session === undefined) notes.push({ file: `Session${number}`, rule: 'it is not there; its fold is left out' });
    else dialogues.push(...(await readSession(root, session, `fold${number - 1}`, notes)));
  }
  if (dialogues.length === 0) badDataset(root, 'none of Session1 to Session5 holds a dialogue');
  const labels = Object.values(CODES);
  return { dataset: toDataset({ name: 'iemocap', labels, source: 'IEMOCAP (Busso et al. 2008)' }, dialogues), notes };
}

async function readSession(
  root: string,
  session: string,
  split: string,
  notes: ImportNote[],
): Promise<ReleaseDialogue[]> {
  const transcripts = posix.join(session, 'dialog/transcriptions');
  const evaluations = posix.join(session, 'dialog/EmoEvaluation');
  const [withText, withLabels] = await Promise.all([
    filesIn(join(root, transcripts), '.txt'),
    filesIn(join(root, evaluations), '.txt'),
  ]);
  const dialogues: ReleaseDialogue[] = [];
  for (const name of [...new Set([...withText, ...withLabels])].sort()) {
    const id = name.slice(0, -'.txt'.length);
    const draft: Draft = { id, utterances: new Map() };
    if (withText.includes(name)) await addTranscript(root, posix.join(transcripts, name), draft, notes);
    if (withLabels.includes(name)) await addEvaluation(root, posix.join(evaluations, name), draft, notes);
    const video = posix.join(session, 'dialog/avi/DivX', `${id}.avi`);
    const hasVideo = await exists(join(root, video));
    const toMedia = (utterance: string): ReleaseUtterance['media'] => ({
      audio: posix.join(session, 'sentences/wav', id, `${id}_${utterance}.wav`),
      ...(hasVideo && { video }),
      clips: ['audio'],
    });
    const utterances = [...draft.utterances.values()]
      .sort((a, b) => a.start - b.start || a.end - b.end)
      .map((u) => ({ ...u, media: toMedia(u.id) }));
    if (utterances.length > 0) dialogues.push({ id, split, utterances });
    else notes.push({ file: posix.join(transcripts, name), rule: 'no utterance is found in it' });
  }
  return dialogues;
}

type DraftUtterance = ReleaseUtterance & { readonly start: number; readonly end: number };
type Draft = { readonly id: string; readonly utterances: Map<string, DraftUtterance> };

async function addTranscript(
  root: string,
  file: string,
  { id, utterances }: Draft,
  notes: ImportNote[],
): Promise<void> {
  let leftOut = 0;
  for (const line of await linesOf(root, file)) {
    const [, dialogue, name = '', start, end, text] = TRANSCRIPT_LINE.exec(line) ?? [];
    if (dialogue !== id) leftOut += 1;
    else if (utterances.has(name)) notes.push({ file, rule: 'an utterance is there twice; the first is kept' });
    else utterances.set(name, { ...toUtterance(name, start, end), text: text?.trim() ?? '' });
  }
  if (leftOut > 0) notes.push({ file, rule: 'lines that are no utterance with times are left out' });
}

async function addEvaluation(
  root: string,
  file: string,
  { id, utterances }: Draft,
  notes: ImportNote[],
): Promise<void> {
  const evaluated = new Set<string>();
  for (const line of await linesOf(root, file)) {
    const [, start, end, dialogue, name = '', code = ''] = EVALUATION_LINE.exec(line) ?? [];
    if (dialogue !== id) {
      if (line.startsWith('[')) notes.push({ file, rule: 'lines that are no evaluation of its dialogue are left out' });
      continue;
    }
    if (evaluated.has(name)) {
      notes.push({ file, rule: 'an utterance is evaluated twice; the first is kept' });
      continue;
    }
    evaluated.add(name);
    const utterance = utterances.get(name) ?? { ...toUtterance(name, start, end), text: undefined };
    utterances.set(name, { ...utterance, label: CODES[code] ?? null, sourceLabel: code });
  }
}

function toUtterance(id: string, start: string | undefined, end: string | undefined): Omit<DraftUtterance, 'text'> {
  return { id, speaker: id.charAt(0), label: null, start: Number(start), end: Number(end) };
}

async function linesOf(root: string, file: string): Promise<string[]> {
  return (await readTextFile(root, file)).split(/\r\n|\r|\n/).filter((line) => line.trim() !== '');
}
