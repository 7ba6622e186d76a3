import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { silence } from './sounds.ts';
import { ALL_FILES, createCallFolder, expectRefused, filesIn, replayJson, summaryOf, type CallFolder } from './call.ts';
import { picture } from '../support/mediaFiles.ts';

let folder: CallFolder;
let call = '';
beforeAll(() => {
  folder = createCallFolder();
  call = folder.cut('call.wav', 'ada', 4, ['-vn', '-ar', '16000']);
});
afterAll(() => {
  folder.remove();
});

describe('undertone replay refuses before it writes anything', () => {
  it.each([
    ['a file that is not there', () => 'gone.wav', 'FILE_NOT_FOUND'],
    ['a folder', () => folder.path('..'), 'FILE_NOT_FOUND'],
    ['an empty file', () => folder.write('empty.wav', ''), 'FILE_EMPTY'],
    ['a text file', () => folder.write('notes.mp4', 'Dear diary, nobody may log this.\n'.repeat(99)), 'NOT_MEDIA'],
    [
      'random bytes',
      () =>
        folder.write(
          'noise.mp4',
          Uint8Array.from({ length: 50_000 }, (_, i) => (i * 7919) >> 5),
        ),
      'NOT_MEDIA',
    ],
    [
      'an MP4 cut off before its index',
      () => folder.truncate(folder.cut('late.mp4', 'ada', 4, ['-c', 'copy']), 0.5, 'cut.mp4'),
      'NOT_MEDIA',
    ],
    ['a film without sound', () => folder.make('mute.mp4', [...picture(1), '-c:v', 'mpeg4']), 'NO_AUDIO'],
  ])('%s.', async (name, make, code) => {
    const out = folder.path(name.replaceAll(' ', '-'));
    const outcome = await replayJson(make(), '--out', out);
    expectRefused(outcome, code, out);
    expect(outcome.err).not.toContain('nobody may log');
  });

  it('a call of which one track of two is not there.', async () => {
    const out = folder.path('one-gone');
    expectRefused(
      await replayJson('--track', `Ada=${call}`, '--track', 'Ben=gone.wav', '--out', out),
      'FILE_NOT_FOUND',
      out,
    );
  });

  it.each([
    ['an unknown option', ['--loud'], 'BAD_OPTION'],
    ['a speed of 0', ['--speed', '0'], 'BAD_OPTION'],
    ['a speed below 0', ['--speed', '-1'], 'BAD_OPTION'],
    ['a speed that is no number', ['--speed', 'fast'], 'BAD_OPTION'],
    ['a speed over 1,000', ['--speed', '1001'], 'BAD_OPTION'],
    ['a speed that is missing', ['--speed'], 'BAD_OPTION'],
    ['a backend that cannot serve a conversation', ['--backend', 'webgpu'], 'BAD_OPTION'],
    ['an unknown privacy mode', ['--privacy', 'some'], 'BAD_OPTION'],
    ['a second media file', ['other.wav'], 'BAD_OPTION'],
    ['tracks and channels', ['--track', 'Ada=x.wav', '--channels', 'Ada,Ben'], 'BAD_OPTION'],
    ['tracks and turns', ['--track', 'Ada=x.wav', '--rttm', 'x.rttm'], 'BAD_OPTION'],
    ['channels and turns', ['--channels', 'Ada,Ben', '--rttm', 'x.rttm'], 'BAD_OPTION'],
    ['more channels than there are', ['--channels', 'Ada,Ben'], 'BAD_CHANNELS'],
    ['text only without captions', ['--privacy', 'text-only'], 'NOTHING_TO_ANALYZE'],
  ])('%s.', async (name, args, code) => {
    const out = folder.path(`option-${name.replaceAll(' ', '-')}`);
    expectRefused(await replayJson(call, '--out', out, ...args), code, out);
  });

  it('no input at all.', async () => {
    expectRefused(await replayJson(), 'BAD_OPTION');
  });
});

describe('undertone replay of a file that breaks off', () => {
  it('analyzes what can be decoded, then says DECODE_ERROR, writes a summary and exits with status 2.', async () => {
    const whole = folder.cut('fast.mp4', 'ada', 24, ['-c', 'copy', '-movflags', '+faststart']);
    const out = folder.path('broken');
    const { status, failures, insights } = await replayJson(folder.truncate(whole, 0.6, 'broken.mp4'), '--out', out);
    expect(status).toBe(2);
    const rule = (part: string): unknown => expect.stringMatching(`^fault DECODE_ERROR: ${part} of .*broken\\.mp4: .+`);
    expect([...failures].sort()).toEqual([rule('picture'), rule('sound')]);
    expect(insights.filter(({ type }) => type === 'fault')).toHaveLength(2);
    const { utterances, faults } = summaryOf(insights);
    expect(utterances).toBeGreaterThan(0);
    expect(faults).toBe(2);
    expect(filesIn(out)).toEqual(ALL_FILES);
  });

  it('goes on with the other track and says the broken one is missing.', async () => {
    const whole = folder.cut('fast2.mp4', 'ada', 24, ['-c', 'copy', '-movflags', '+faststart']);
    const tracks = [
      '--track',
      `Ada=${folder.truncate(whole, 0.5, 'broken2.mp4')}`,
      '--track',
      `Ben=${folder.cut('ben.wav', 'ben', 24)}`,
    ];
    const { status, insights } = await replayJson(...tracks);
    expect(status).toBe(2);
    const gone = insights.find(
      (insight) => insight.type === 'modality' && insight.modality === 'audio' && insight.reason === 'decode_error',
    );
    expect(gone).toMatchObject({ speaker: { name: 'Ada' }, state: 'absent' });
    const later = insights.filter(({ type, atMs }) => type === 'utterance' && atMs > (gone?.atMs ?? Infinity));
    expect(new Set(later.map((insight) => insight.type === 'utterance' && insight.speaker.name))).toContain('Ben');
  });

  it('takes a WAV file with a header that promises more than there is for one that breaks off.', async () => {
    const { status, failures, insights } = await replayJson(folder.truncate(call, 0.7, 'short.wav'));
    expect([status, failures.length]).toEqual([2, 1]);
    expect(summaryOf(insights).durationMs).toBeGreaterThan(2_000);
  });

  it('needs no fault to say that a recording holds only silence.', async () => {
    const out = folder.path('silence');
    const { status, insights, failures } = await replayJson(folder.make('silence.wav', silence(20)), '--out', out);
    expect([status, failures]).toEqual([0, []]);
    expect(summaryOf(insights)).toMatchObject({ utterances: 0, speakers: [], faults: 0 });
    expect(filesIn(out)).toEqual(ALL_FILES);
  });
});
