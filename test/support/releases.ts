import { toWav } from './mediaFiles.ts';
import { voiceLike, writeBytes } from './mediaDataset.ts';

/** Header of MELD's label files. */
export const MELD_HEADER =
  'Sr No.,Utterance,Speaker,Emotion,Sentiment,Dialogue_ID,Utterance_ID,Season,Episode,StartTime,EndTime';

/** A row of a MELD label file. */
export function meldRow(dialogue: number | string, utterance: number | string, emotion: string, text = 'Hi.'): string {
  return `1,"${text}",Ross,${emotion},neutral,${dialogue},${utterance},8,21,"00:16:16,059","00:16:21,731"`;
}

/** Sound in the place of a clip: what a file is called does not matter to ffmpeg. */
export async function writeClip(root: string, path: string, seconds = 0.4, bytes?: number): Promise<void> {
  await writeBytes(root, path, toWav([voiceLike(seconds)], 16_000).subarray(0, bytes));
}

/** Writes the three splits of MELD in the layout of its release, with the odd files that lie about in it. */
export async function writeMeld(root: string): Promise<string> {
  const csv = (...rows: string[]): string => [MELD_HEADER, ...rows, ''].join('\r\n');
  await writeBytes(
    root,
    'train_sent_emo.csv',
    csv(
      meldRow(0, 1, 'joy', 'I know, ""right""?'),
      meldRow(0, 0, 'neutral', 'Oh,\nwell.'),
      meldRow(3, 0, 'anger', 'It\u0092s \u0093mine\u0094'),
    ),
  );
  await writeBytes(root, 'dev_sent_emo.csv', Buffer.from(csv(meldRow(0, 0, 'sadness', 'Caf\u00e9 \u0085')), 'latin1'));
  await writeBytes(root, 'test_sent_emo.csv', `\ufeff${csv(meldRow(7, 2, 'disgust'))}`);
  for (const clip of ['dia0_utt0', 'dia0_utt1', 'dia3_utt0']) await writeClip(root, `train_splits/${clip}.mp4`);
  await writeClip(root, 'dev/dev_splits_complete/dia0_utt0.mp4');
  await writeClip(root, 'output_repeated_splits_test/dia7_utt2.mp4', 0.6);
  await writeClip(root, 'output_repeated_splits_test/final_videos_testdia7_utt2.mp4', 0.2);
  await writeBytes(root, 'output_repeated_splits_test/._dia7_utt2.mp4', 'left by a Mac');
  return root;
}

/** One utterance of a made-up IEMOCAP session. */
export type IemocapLine = {
  readonly id: string;
  readonly start: string;
  readonly end: string;
  readonly code?: string;
  readonly text?: string;
};

/** Writes a dialogue of an IEMOCAP session in the layout of its release; without `text` or `code` it lacks that line. */
export async function writeIemocap(
  root: string,
  session: number,
  dialogue: string,
  lines: readonly IemocapLine[],
): Promise<string> {
  const at = (path: string): string => `Session${session}/${path}`;
  const said = lines.flatMap(({ id, start, end, text }) =>
    text === undefined ? [] : [`${dialogue}_${id} [${start}-${end}]: ${text}`],
  );
  const evaluated = lines.flatMap(({ id, start, end, code }) => {
    if (code === undefined) return [];
    const head = `[${Number(start)} - ${Number(end)}]\t${dialogue}_${id}\t${code}\t[2.5000, 2.5000, 2.5000]`;
    return [head, 'C-E2:\tNeutral;\t()', 'A-E3:\tval 3; act 2; dom  2;\t()', ''];
  });
  await writeBytes(root, at(`dialog/transcriptions/${dialogue}.txt`), `${said.join('\n')}\n`);
  await writeBytes(root, at(`dialog/transcriptions/._${dialogue}.txt`), 'left by a Mac');
  const header = '% [START_TIME - END_TIME] TURN_NAME EMOTION [V, A, D]\n\n';
  await writeBytes(root, at(`dialog/EmoEvaluation/${dialogue}.txt`), header + evaluated.join('\n'));
  await writeBytes(root, at(`dialog/EmoEvaluation/Categorical/${dialogue}_e2_cat.txt`), 'left aside');
  await writeBytes(root, at(`dialog/avi/DivX/${dialogue}.avi`), 'pictures');
  for (const { id, start, end } of lines)
    await writeClip(root, at(`sentences/wav/${dialogue}/${dialogue}_${id}.wav`), Number(end) - Number(start));
  return root;
}
