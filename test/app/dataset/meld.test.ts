import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { readMeld } from '../../../src/app/dataset/meld.ts';
import { writeBytes } from '../../support/mediaDataset.ts';
import { MELD_HEADER, meldRow, writeMeld } from '../../support/releases.ts';
import { createFolders } from '../../support/tinyDataset.ts';

const newFolder = createFolders();

describe('readMeld', () => {
  it('reads texts, speakers, labels, times and clips of all splits, in order of the utterances.', async () => {
    const { dataset, notes } = await readMeld(await writeMeld(await newFolder()));
    expect(dataset.labels).toEqual(['neutral', 'surprise', 'fear', 'sadness', 'joy', 'disgust', 'anger']);
    expect(dataset.dialogues.map(({ id, split }) => [id, split])).toEqual([
      ['train_0', 'train'],
      ['train_3', 'train'],
      ['dev_0', 'dev'],
      ['test_7', 'test'],
    ]);
    expect(dataset.dialogues.flatMap(({ utterances }) => utterances.map((u) => [u.index, u.id, u.label]))).toEqual([
      [0, '0', 0],
      [1, '1', 4],
      [2, '0', 6],
      [3, '0', 3],
      [4, '2', 5],
    ]);
    expect(dataset.dialogues[0]!.utterances[1]).toMatchObject({
      speaker: 'Ross',
      text: 'I know, "right"?',
      start: '00:16:16,059',
      end: '00:16:21,731',
      media: { video: 'train_splits/dia0_utt1.mp4', clips: ['video'] },
    });
    expect(notes).toEqual([]);
  });

  it('reads UTF-8, Windows-1252, and Windows-1252 that was taken for UTF-8, to the same punctuation.', async () => {
    const { dataset } = await readMeld(await writeMeld(await newFolder()));
    const texts = dataset.dialogues.flatMap(({ utterances }) => utterances.map(({ text }) => text));
    expect(texts).toEqual(['Oh,\nwell.', 'I know, "right"?', 'It’s “mine”', 'Café …', 'Hi.']);
  });

  it('finds clips one folder deeper, and takes the clip of the exact name among its copies.', async () => {
    const { dataset } = await readMeld(await writeMeld(await newFolder()));
    const clips = dataset.dialogues.slice(2).map(({ utterances }) => utterances[0]!.media!.video);
    expect(clips).toEqual(['dev/dev_splits_complete/dia0_utt0.mp4', 'output_repeated_splits_test/dia7_utt2.mp4']);
  });

  it('reads the splits that are there, without media where the clips are not, and says so.', async () => {
    const root = await writeMeld(await newFolder());
    await rm(join(root, 'test_sent_emo.csv'));
    await rm(join(root, 'train_splits'), { recursive: true });
    const { dataset, notes } = await readMeld(root);
    expect(dataset.dialogues.map(({ split }) => split)).toEqual(['train', 'train', 'dev']);
    expect(dataset.dialogues.map(({ utterances }) => utterances[0]!.media !== undefined)).toEqual([false, false, true]);
    expect(notes).toEqual([
      { file: 'train_splits', rule: expect.stringContaining('no media') },
      { file: 'test_sent_emo.csv', rule: expect.stringContaining('left out') },
    ]);
  });

  const good = meldRow(0, 0, 'joy', 'secret');
  it.each([
    ['an emotion is unknown', [good, meldRow(0, 1, 'glee', 'secret')], /line 3: its "Emotion" is none of/],
    ['an utterance is there twice', [good, meldRow(0, 1, 'joy'), good], /line 4: utterance 0\/0 is there twice/],
    ['a number is none', [good, meldRow('../../etc', 0, 'joy')], /line 3: its "Dialogue_ID" is not a whole number/],
    ['a number is negative', [meldRow(0, -1, 'joy')], /line 2: its "Utterance_ID" is not a whole number/],
    ['a row is short', [good, '1,secret,Ross'], /line 3: it has 3 fields, not 11/],
    ['a row is long', [`${good},1`], /line 2: it has 12 fields, not 11/],
    ['a quote is left open', [good, '1,"secret'], /after line 2: it is not CSV \(CSV_QUOTE_NOT_CLOSED\)/],
    ['there is no row', [], /none of train_sent_emo\.csv, .* holds a row/],
  ])('stops with file, line and rule, and without what was said, when %s.', async (_, rows, rule) => {
    const root = await newFolder();
    await writeBytes(root, 'train_sent_emo.csv', [MELD_HEADER, ...rows].join('\n'));
    const reading = readMeld(root);
    await expect(reading).rejects.toMatchObject({ code: 'BAD_DATASET', message: expect.stringMatching(rule) });
    await expect(reading).rejects.not.toThrow(/secret|Ross/);
  });

  it.each([
    ['a column is missing', MELD_HEADER.replace(',Emotion', ''), /line 1: it has no column "Emotion"/],
    ['a column is unknown', `${MELD_HEADER},Mood`, /line 1: column 12 is unknown/],
    ['a column is there twice', `${MELD_HEADER},Emotion`, /line 1: a column is there twice/],
    ['it is empty', '', /line 1: it has no column "Sr No\."/],
  ])('stops when of the columns %s.', async (_, header, rule) => {
    const root = await newFolder();
    await writeBytes(root, 'dev_sent_emo.csv', header);
    await expect(readMeld(root)).rejects.toMatchObject({ code: 'BAD_DATASET', message: expect.stringMatching(rule) });
  });

  it('stops where there is no release at all.', async () => {
    await expect(readMeld(await newFolder())).rejects.toMatchObject({ code: 'BAD_DATASET' });
  });
});
