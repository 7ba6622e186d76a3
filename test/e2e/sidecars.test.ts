import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Insight } from '../../src/domain/insight.ts';
import { CAPTIONS_12S, createCallFolder, expectRefused, replayJson, summaryOf, type CallFolder } from './call.ts';

let folder: CallFolder;
let call = '';
let pauses = '';
beforeAll(() => {
  folder = createCallFolder();
  pauses = folder.cut('pauses.wav', 'ada', 12);
  call = folder.mix('call.wav', 12, ['-ar', '16000', '-ac', '1']);
});
afterAll(() => {
  folder.remove();
});

/** The final utterances as `Ada: Hi Ben`. */
function lines(insights: readonly Insight[]): readonly string[] {
  return insights
    .filter((insight) => insight.type === 'utterance')
    .filter(({ status }) => status === 'final')
    .sort((a, b) => a.startMs - b.startMs)
    .map(({ speaker, text }) => `${speaker.name}: ${text ?? '-'}`);
}

const HI = 'Ada: Hi Ben, shall we go through the plan for Saturday?';
const SURE = 'Ben: Sure. The hall is booked from two until six.';
const NEWS = 'Ada: And I have great news! My sister is flying home for the party!';

function replayCaptions(name: string, content: string | Uint8Array): ReturnType<typeof replayJson> {
  return replayJson(call, '--captions', folder.write(name, content));
}

describe('undertone replay with captions', () => {
  it('takes words and speakers of one mixed file from its captions.', async () => {
    const { status, insights } = await replayCaptions('plain.vtt', CAPTIONS_12S);
    expect(status).toBe(0);
    expect(lines(insights).slice(0, 3)).toEqual([HI, SURE, NEWS]);
  });

  it('reads a file with a byte order mark and CRLF line ends just the same.', async () => {
    const windows = `\ufeff${CAPTIONS_12S.replaceAll('\n', '\r\n')}`;
    const [found, plain] = [
      await replayCaptions('windows.vtt', windows),
      await replayCaptions('unix.vtt', CAPTIONS_12S),
    ];
    expect(lines(found.insights)).toEqual(lines(plain.insights));
    expect(found.err).toBe(plain.err);
  });

  it('puts cues in order that are in no order in the file.', async () => {
    const [header = '', ...cues] = CAPTIONS_12S.trim().split('\n\n');
    const { insights } = await replayCaptions('order.vtt', [header, ...cues.reverse()].join('\n\n'));
    expect(lines(insights).slice(0, 3)).toEqual([HI, SURE, NEWS]);
  });

  it('leaves out a cue that ends before it starts, says in which line, and uses the others.', async () => {
    const backward = CAPTIONS_12S.replace('00:07.277 --> 00:10.498', '00:10.498 --> 00:07.277');
    const { status, insights, err } = await replayJson(pauses, '--captions', folder.write('backward.vtt', backward));
    expect(status).toBe(0);
    expect(err).toContain('1 problem(s) in the captions file: line 9: ends before it starts.');
    expect(lines(insights)).toContain(HI);
    expect(lines(insights).join()).not.toContain('great news');
  });

  it('keeps the words of cues that overlap, each with its speaker.', async () => {
    const overlapping = CAPTIONS_12S.replace('00:04.001', '00:02.500');
    const { status, insights } = await replayCaptions('overlap.vtt', overlapping);
    expect(status).toBe(0);
    const words = lines(insights).join(' ');
    for (const word of ['Saturday', 'booked', 'news']) expect(words).toContain(word);
  });

  it('goes on by voice alone, of nobody known, where cues are missing.', async () => {
    const [header = '', first = ''] = CAPTIONS_12S.split('\n\n');
    const captions = folder.write('gaps.vtt', `${header}\n\n${first}\n`);
    const { insights } = await replayJson(pauses, '--captions', captions);
    expect(lines(insights)).toEqual([HI, 'unknown: -']);
  });

  it('reads SRT with hours over 99, and counts words far outside all speech as dropped.', async () => {
    const srt =
      '1\n00:00:00,700 --> 00:00:03,551\nAda: Hi Ben\n\n2\n100:00:01,000 --> 100:00:02,000\nAda: four words too late\n';
    const { status, insights } = await replayCaptions('long.srt', srt);
    expect(status).toBe(0);
    expect(lines(insights)[0]).toBe('Ada: Hi Ben');
    expect(summaryOf(insights).droppedWords).toBe(4);
  });

  it.each([
    ['empty', '', 'FILE_EMPTY'],
    ['nothing but a page of HTML', '<!doctype html><p>Not captions.</p>', 'BAD_CAPTIONS'],
    ['broken JSON', '{"cues": [', 'BAD_CAPTIONS'],
  ])('refuses a file that is %s.', async (name, content, code) => {
    expectRefused(await replayCaptions(`${name}.txt`, content), code);
  });
});

const turns = (file: string, fields = 10): string =>
  [
    ['0.7', '2.9', 'Ada'],
    ['4.0', '2.8', 'Ben'],
    ['7.2', '3.3', 'Ada'],
  ]
    .map(([start, duration, name]) => ['SPEAKER', file, '1', start, duration, '<NA>', '<NA>', name, '<NA>', '<NA>'])
    .map((line) => line.slice(0, fields).join(' '))
    .join('\n');

describe('undertone replay with RTTM', () => {
  it.each([
    ['10 fields', turns('call', 10)],
    ['9 fields', turns('call', 9)],
    ['a file id of another recording beside ours', `${turns('call')}\n${turns('other').replaceAll('Ada', 'Eve')}`],
    ['one file id, which is not ours', turns('meeting-42')],
  ])('knows who speaks from a file with %s.', async (name, content) => {
    const { status, insights } = await replayJson(call, '--rttm', folder.write(`${name}.rttm`, content));
    expect(status).toBe(0);
    expect(lines(insights)).toEqual(['Ada: -', 'Ben: -', 'Ada: -']);
  });

  it('leaves out lines it cannot read and says which.', async () => {
    const content = `SPEAKER call 1 0.1\n${turns('call')}\n`;
    const { status, insights, err } = await replayJson(call, '--rttm', folder.write('bad.rttm', content));
    expect([status, lines(insights).length]).toEqual([0, 3]);
    expect(err).toContain('1 problem(s) in the RTTM file: line 1: a SPEAKER line has 9 or 10 fields.');
  });

  it('refuses a file of which no recording is ours, naming the recordings.', async () => {
    const content = `${turns('monday')}\n${turns('tuesday')}`;
    const outcome = await replayJson(call, '--rttm', folder.write('days.rttm', content));
    expectRefused(outcome, 'BAD_RTTM');
    expect(outcome.err).toContain('monday, tuesday');
  });
});
