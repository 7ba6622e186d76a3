import { appendFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { readIemocap } from '../../../src/app/dataset/iemocap.ts';
import { writeBytes } from '../../support/mediaDataset.ts';
import { type IemocapLine, writeIemocap } from '../../support/releases.ts';
import { createFolders } from '../../support/tinyDataset.ts';

const newFolder = createFolders();

const DIALOGUE = 'Ses01F_impro01';
const LINES: readonly IemocapLine[] = [
  { id: 'M000', start: '007.5712', end: '008.1000', code: 'fru', text: 'Yeah.' },
  { id: 'F000', start: '006.2901', end: '006.8357', code: 'neu', text: 'Excuse me.' },
  { id: 'F001', start: '010.0100', end: '010.5000', code: 'xxx', text: 'Is there a problem?' },
  { id: 'MXX0', start: '012.0000', end: '012.5000', text: '[LAUGHTER]' },
  { id: 'F002', start: '014.0000', end: '014.5000', code: 'exc' },
];

const transcript = (dialogue = DIALOGUE, session = 1): string =>
  `Session${session}/dialog/transcriptions/${dialogue}.txt`;
const evaluation = (dialogue = DIALOGUE): string => `Session1/dialog/EmoEvaluation/${dialogue}.txt`;

describe('readIemocap', () => {
  it('reads texts, speakers, times, six labels and media in order of time; other emotions have no label.', async () => {
    const { dataset } = await readIemocap(await writeIemocap(await newFolder(), 1, DIALOGUE, LINES));
    expect(dataset.labels).toEqual(['happy', 'sad', 'neutral', 'angry', 'excited', 'frustrated']);
    const [dialogue] = dataset.dialogues;
    expect([dialogue!.id, dialogue!.split]).toEqual([DIALOGUE, 'fold0']);
    expect(
      dialogue!.utterances.map((u) => [u.index, u.id, u.speaker, u.label, u.sourceLabel, u.text, u.start, u.end]),
    ).toEqual([
      [0, 'F000', 'F', 2, 'neu', 'Excuse me.', 6.2901, 6.8357],
      [1, 'M000', 'M', 5, 'fru', 'Yeah.', 7.5712, 8.1],
      [2, 'F001', 'F', undefined, 'xxx', 'Is there a problem?', 10.01, 10.5],
      [3, 'MXX0', 'M', undefined, undefined, '[LAUGHTER]', 12, 12.5],
      [4, 'F002', 'F', 4, 'exc', undefined, 14, 14.5],
    ]);
    expect(dialogue!.utterances[0]!.media).toEqual({
      audio: `Session1/sentences/wav/${DIALOGUE}/${DIALOGUE}_F000.wav`,
      video: `Session1/dialog/avi/DivX/${DIALOGUE}.avi`,
      clips: ['audio'],
    });
  });

  it('makes a fold of each session, wherever the release lies in the folder, and says which are not there.', async () => {
    const root = await newFolder();
    const release = join(root, 'IEMOCAP_full_release');
    for (const session of [2, 5]) await writeIemocap(release, session, `Ses0${session}M_script01_1`, LINES.slice(0, 1));
    const { dataset, notes } = await readIemocap(root);
    expect(dataset.dialogues.map(({ id, split }) => [id, split])).toEqual([
      ['Ses02M_script01_1', 'fold1'],
      ['Ses05M_script01_1', 'fold4'],
    ]);
    expect(notes.map(({ file }) => file)).toEqual(['Session1', 'Session3', 'Session4']);
  });

  it('leaves out noises without times, and files and lines that are not of the dialogue.', async () => {
    const root = await writeIemocap(await newFolder(), 1, DIALOGUE, LINES);
    const odd = ['M: [BREATHING]', 'Ses01F_impro02_F000 [001.0-002.0]: secret', `${DIALOGUE}_../x [1.0-2.0]: secret`];
    await appendFile(join(root, transcript()), `${odd.join('\r\n')}\r\n`);
    await appendFile(join(root, evaluation()), '[1.0 - 2.0]\tSes01F_impro02_F000\tneu\t[2.5, 2.5, 2.5]\n[broken\n');
    const { dataset, notes } = await readIemocap(root);
    expect(dataset.dialogues.map(({ utterances }) => utterances.length)).toEqual([5]);
    const own = notes.filter(({ file }) => file.endsWith('.txt'));
    expect(own.map(({ file }) => file)).toEqual([transcript(), evaluation(), evaluation()]);
    expect(JSON.stringify(notes)).not.toContain('secret');
  });

  it('reads CRLF and Windows-1252.', async () => {
    const root = await writeIemocap(await newFolder(), 1, DIALOGUE, []);
    const text = `${DIALOGUE}_F000 [001.0-002.0]: It\u0092s me.\r\n${DIALOGUE}_M000 [002.0-003.0]: No.\r\n`;
    await writeBytes(root, transcript(), Buffer.from(text, 'latin1'));
    const { dataset } = await readIemocap(root);
    expect(dataset.dialogues[0]!.utterances.map((u) => u.text)).toEqual(['It’s me.', 'No.']);
  });

  it('keeps the first of what is there twice, and says so.', async () => {
    const twice = [LINES[0]!, { ...LINES[0]!, code: 'hap', text: 'Again.' }];
    const { dataset, notes } = await readIemocap(await writeIemocap(await newFolder(), 1, DIALOGUE, twice));
    expect(dataset.dialogues[0]!.utterances).toMatchObject([{ id: 'M000', text: 'Yeah.', label: 5 }]);
    expect(notes.filter(({ rule }) => rule.includes('twice')).map(({ file }) => file)).toEqual([
      transcript(),
      evaluation(),
    ]);
  });

  it('reads a dialogue that has only transcripts, only evaluations or no video.', async () => {
    const root = await newFolder();
    for (const name of ['Ses01F_a', 'Ses01F_b']) await writeIemocap(root, 1, name, LINES.slice(0, 1));
    await rm(join(root, evaluation('Ses01F_a')));
    await rm(join(root, transcript('Ses01F_b')));
    await rm(join(root, 'Session1/dialog/avi'), { recursive: true });
    const [a, b] = (await readIemocap(root)).dataset.dialogues.map(({ utterances }) => utterances[0]!);
    expect([a!.text, a!.label, b!.text, b!.label]).toEqual(['Yeah.', undefined, undefined, 5]);
    expect(a!.media!.video).toBeUndefined();
  });

  it('stops where no session holds a dialogue.', async () => {
    const root = await newFolder();
    await expect(readIemocap(root)).rejects.toMatchObject({ code: 'BAD_DATASET' });
    await writeBytes(root, transcript(), 'nothing here\n');
    await expect(readIemocap(root)).rejects.toMatchObject({ code: 'BAD_DATASET' });
  });
});
