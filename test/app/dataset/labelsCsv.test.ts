import { describe, expect, it } from 'vitest';
import { readLabels } from '../../../src/app/dataset/labelsCsv.ts';
import { writeBytes } from '../../support/mediaDataset.ts';
import { createFolders } from '../../support/tinyDataset.ts';

const newFolder = createFolders();

async function read(...lines: string[]) {
  const folder = await newFolder();
  await writeBytes(folder, 'labels.csv', lines.join('\r\n'));
  return (await readLabels(folder, 'calls')).dataset;
}

describe('readLabels', () => {
  it('takes each file as a dialogue of its own when only files and labels are given.', async () => {
    const dataset = await read('file,label', 'b.wav,glad', 'a/c.MP4,calm', 'd.wav,');
    expect([dataset.name, dataset.labels]).toEqual(['calls', ['calm', 'glad']]);
    expect(dataset.dialogues.map(({ id, split }) => [id, split])).toEqual([
      ['b.wav', 'train'],
      ['a/c.MP4', 'train'],
      ['d.wav', 'train'],
    ]);
    const utterances = dataset.dialogues.flatMap((dialogue) => dialogue.utterances);
    expect(utterances.map(({ index, id, speaker, label, media }) => [index, id, speaker, label, media])).toEqual([
      [0, '0', 'unknown', 1, { audio: 'b.wav' }],
      [1, '0', 'unknown', 0, { video: 'a/c.MP4' }],
      [2, '0', 'unknown', undefined, { audio: 'd.wav' }],
    ]);
  });

  it('groups rows into dialogues, in order of time where there are times, with the columns in any order.', async () => {
    const dataset = await read(
      'split,dialogue,file,start,end,label,speaker,text',
      'dev,call,all.wav,2.5,3,glad,Ben,"Well, yes"',
      'dev,call,all.wav,0,1.25,calm,Ada,Hello',
      'train,,other.wav,,,calm,,',
    );
    expect(dataset.dialogues).toMatchObject([
      {
        id: 'call',
        split: 'dev',
        utterances: [
          { id: '0', speaker: 'Ada', label: 0, text: 'Hello', start: 0, end: 1.25, media: { audio: 'all.wav' } },
          { id: '1', speaker: 'Ben', label: 1, text: 'Well, yes', start: 2.5, end: 3 },
        ],
      },
      { id: 'other.wav', split: 'train', utterances: [{ speaker: 'unknown', text: undefined, start: undefined }] },
    ]);
  });

  const HEAD = 'file,label,dialogue,start,end,text,split';
  const GOOD = ['a.wav,calm,,,,,', 'b.wav,glad,,,,,'];
  it.each([
    ['a path leaves the folder', '../x.wav,calm,,,,secret,', /line 4: "file" leaves the folder/],
    ['a path is absolute', '/etc/x.wav,calm,,,,secret,', /line 4: "file" leaves the folder/],
    ['a path is missing', ',calm,,,,secret,', /line 4: "file" is empty/],
    ['one time is missing', 'c.wav,calm,,1,,secret,', /line 4: "start" and "end" must be both there/],
    ['a time is none', 'c.wav,calm,,0:01,2,secret,', /line 4: "start" is not a number of seconds/],
    ['a time is negative', 'c.wav,calm,,-1,2,secret,', /line 4: "start" is not a number/],
    ['times are reversed', 'c.wav,calm,,2,1,secret,', /line 4: "end" must be after "start"/],
    ['a part is there twice', 'a.wav,glad,,,,secret,', /line 4: the same part of the same file is there twice/],
    ['a dialogue is in two splits', 'c.wav,glad,a.wav,,,secret,dev', /line 4: its dialogue is in another split/],
    ['a row is short', 'c.wav,glad', /line 4: it has 2 fields, not 7/],
  ])('stops with the line, and without what was said, when %s.', async (_, row, rule) => {
    const reading = read(HEAD, ...GOOD, row);
    await expect(reading).rejects.toMatchObject({ code: 'BAD_DATASET', message: expect.stringMatching(rule) });
    await expect(reading).rejects.not.toThrow('secret');
  });

  it.each([
    ['no row', ['file,label'], /it has no row/],
    ['one label', ['file,label', 'a.wav,calm', 'b.wav,calm'], /fewer than two labels/],
    ['no labels', ['file,label', 'a.wav,'], /fewer than two labels/],
    ['an unknown column', ['file,label,speakr', 'a.wav,calm,x'], /line 1: column 3 is unknown/],
    ['no column for files', ['label', 'calm'], /line 1: it has no column "file"/],
  ])('stops when it has %s.', async (_, lines, rule) => {
    await expect(read(...lines)).rejects.toMatchObject({ code: 'BAD_DATASET', message: expect.stringMatching(rule) });
  });
});
