import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { MAX_PARTICIPANTS, openInputs, type ReplayInputs, type ReplayRequest } from '../../../src/app/replay/inputs.ts';
import type { ErrorCode } from '../../../src/errors.ts';
import { fakeReader, type FakeFile } from './fakeMedia.ts';

const FILES: Record<string, FakeFile> = {
  'call.wav': { soundMs: 4_000 },
  'stereo.wav': { soundMs: 4_000, channels: [2] },
  'two-streams.mkv': { soundMs: 4_000, channels: [1, 1] },
  'call.mp4': { soundMs: 4_000, pictures: [200], durationMs: 9_000 },
  'picture.mp4': { pictures: [200], durationMs: 4_000 },
  'endless.webm': { soundMs: 4_000, durationMs: null },
};
const NOTHING: ReplayRequest = { tracks: [], channels: [], privacy: 'none' };

let folder = '';
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'undertone-inputs-'));
});
afterAll(() => {
  rmSync(folder, { recursive: true });
});

function sidecar(name: string, content: string): string {
  const path = join(folder, name);
  writeFileSync(path, content);
  return path;
}

function open(request: Partial<ReplayRequest>): Promise<ReplayInputs> {
  return openInputs({ ...NOTHING, ...request }, fakeReader(FILES));
}

async function refusalOf(request: Partial<ReplayRequest>): Promise<{ code: ErrorCode; message: string }> {
  const refused = await open(request).catch((error: unknown) => error);
  expect(refused).toMatchObject({ name: 'UndertoneError' });
  return refused as { code: ErrorCode; message: string };
}

const vtt = (...cues: readonly string[]): string => `WEBVTT\n\n${cues.join('\n\n')}\n`;
const ANNA = '00:00.000 --> 00:01.000\n<v Anna>A sentence nobody may log.';
const NOBODY = '00:00.000 --> 00:01.000\nA sentence nobody may log.';
const rttm = (file: string, name: string): string => `SPEAKER ${file} 1 0.0 1.0 <NA> <NA> ${name} <NA> <NA>\n`;

describe('openInputs', () => {
  it('hears one file mixed down, from nobody known, and says so.', async () => {
    const inputs = await open({ media: 'call.wav' });
    expect(inputs.audio).toEqual([{ streamId: 'audio', path: 'call.wav', sampleRateHz: 48_000 }]);
    expect(inputs).toMatchObject({ video: [], captions: [], hasCaptions: false, hasTurns: false, durationMs: 4_000 });
    expect(inputs.notices).toEqual([expect.stringContaining('Who speaks is not known')]);
  });

  it('hears one file per participant and watches those that have a picture.', async () => {
    const inputs = await open({ tracks: ['Ada=call.wav', 'Ben=call.mp4'] });
    expect(inputs.audio.map(({ streamId, speaker }) => [streamId, speaker])).toEqual([
      ['audio:Ada', { id: 'Ada', name: 'Ada', source: 'track' }],
      ['audio:Ben', { id: 'Ben', name: 'Ben', source: 'track' }],
    ]);
    expect(inputs.video.map(({ streamId, path }) => [streamId, path])).toEqual([['video:Ben', 'call.mp4']]);
    expect(inputs.durationMs).toBe(9_000);
    expect(inputs.notices).toEqual(['Speakers are known from one file per participant.']);
  });

  it('takes names with blanks, emoji and equal signs in the file name.', async () => {
    const reader = fakeReader({ 'a=b.wav': { soundMs: 1 }, 'call.wav': { soundMs: 1 } });
    const request = { ...NOTHING, tracks: ['  Ada  Lovelace =a=b.wav', '🎧 Ben=call.wav'] };
    const { audio } = await openInputs(request, reader);
    expect(audio.map(({ speaker, path }) => [speaker?.name, path])).toEqual([
      ['Ada Lovelace', 'a=b.wav'],
      ['🎧 Ben', 'call.wav'],
    ]);
    expect(new Set(audio.map(({ streamId }) => streamId)).size).toBe(2);
  });

  it('hears one channel per participant.', async () => {
    const inputs = await open({ media: 'stereo.wav', channels: ['Agent', 'Customer'] });
    expect(inputs.audio.map(({ channel, speaker }) => [channel, speaker?.name, speaker?.source])).toEqual([
      [0, 'Agent', 'channel'],
      [1, 'Customer', 'channel'],
    ]);
    expect(inputs.notices).toEqual(['Speakers are known from one channel per participant.']);
  });

  it('takes the picture but not the sound of a media file beside tracks, and says so.', async () => {
    const inputs = await open({ media: 'call.mp4', tracks: ['Ada=call.wav'] });
    expect(inputs.audio.map(({ path }) => path)).toEqual(['call.wav']);
    expect(inputs.video).toEqual([{ streamId: 'video', path: 'call.mp4', size: { width: 640, height: 360 } }]);
    expect(inputs.notices).toContainEqual(expect.stringContaining('sound of the media file itself is not analyzed'));
  });

  it('knows speakers from an RTTM file of the recording.', async () => {
    const inputs = await open({ media: 'call.wav', rttm: sidecar('call.rttm', rttm('call', 'S1')) });
    expect(inputs.hasTurns).toBe(true);
    expect(inputs.turns.map(({ streamId, speaker }) => [streamId, speaker.name])).toEqual([['audio', 'S1']]);
    expect(inputs.notices).toEqual(['Speakers are known from the RTTM file.']);
  });

  it('says that speakers are known from captions only when a caption names one.', async () => {
    const named = await open({ media: 'call.wav', captions: sidecar('named.vtt', vtt(ANNA)) });
    expect(named.notices[0]).toContain('known from the captions');
    const nameless = await open({ media: 'call.wav', captions: sidecar('nameless.vtt', vtt(NOBODY)) });
    expect(nameless.notices[0]).toContain('Who speaks is not known');
    expect(nameless.captions.map(({ streamId }) => streamId)).toEqual(['captions']);
  });

  it('names problems of a sidecar by line and rule, at most three of them, and never its text.', async () => {
    const bad = Array.from({ length: 5 }, () => '00:09.000 --> 00:01.000\nA sentence nobody may log.');
    const { notices } = await open({ media: 'call.wav', captions: sidecar('bad.vtt', vtt(ANNA, ...bad)) });
    expect(notices).toContainEqual(
      expect.stringMatching(/^5 problem\(s\) in the captions file: (line \d+: [^;]+; ){3}…\.$/),
    );
    expect(notices.join()).not.toContain('nobody may log');
  });

  it('decodes nothing with privacy mode text-only, and does not speak of turns it will not use.', async () => {
    const captions = sidecar('text.vtt', vtt(ANNA));
    const turns = sidecar('text.rttm', rttm('call', 'S1'));
    const inputs = await open({ media: 'call.mp4', privacy: 'text-only', captions, rttm: turns });
    expect(inputs).toMatchObject({ audio: [], video: [], turns: [], hasTurns: false, hasCaptions: true });
    expect(inputs.notices).toEqual([expect.stringContaining('known from the captions')]);
  });

  it('needs no sound with privacy mode text-only.', async () => {
    const inputs = await open({ media: 'picture.mp4', privacy: 'text-only', captions: sidecar('p.vtt', vtt(ANNA)) });
    expect(inputs.captions).toHaveLength(1);
  });

  it('does not say how long a call is when one of its files does not say.', async () => {
    expect((await open({ tracks: ['Ada=call.wav', 'Ben=endless.webm'] })).durationMs).toBeNull();
  });

  const many = (count: number): string[] => Array.from({ length: count }, (_, index) => `P${index}=call.wav`);

  it('takes as many participants as documented.', async () => {
    expect((await open({ tracks: many(MAX_PARTICIPANTS) })).audio).toHaveLength(MAX_PARTICIPANTS);
  });

  const REFUSED: readonly [string, Partial<ReplayRequest>, ErrorCode][] = [
    ['nothing to read', {}, 'BAD_OPTION'],
    ['channels without a file', { channels: ['Ada'] }, 'BAD_OPTION'],
    ['tracks and channels', { tracks: ['Ada=call.wav'], channels: ['Ada'] }, 'BAD_OPTION'],
    ['tracks and turns', { tracks: ['Ada=call.wav'], rttm: 'x.rttm' }, 'BAD_OPTION'],
    ['channels and turns', { media: 'stereo.wav', channels: ['A', 'B'], rttm: 'x.rttm' }, 'BAD_OPTION'],
    ['too many participants', { tracks: many(MAX_PARTICIPANTS + 1) }, 'BAD_OPTION'],
    ['a track without a file', { tracks: ['Ada='] }, 'BAD_OPTION'],
    ['a track without an equal sign', { tracks: ['call.wav'] }, 'BAD_OPTION'],
    ['a track without a visible name', { tracks: [' \t=call.wav'] }, 'BAD_OPTION'],
    ['one name for two tracks', { tracks: ['Ada=call.wav', ' Ada =call.mp4'] }, 'BAD_OPTION'],
    ['one name for two channels', { media: 'stereo.wav', channels: ['Ada', 'Ada'] }, 'BAD_OPTION'],
    ['an empty channel name', { media: 'stereo.wav', channels: ['Ada', ''] }, 'BAD_OPTION'],
    ['fewer names than channels', { media: 'stereo.wav', channels: ['Ada'] }, 'BAD_CHANNELS'],
    ['more names than channels', { media: 'call.wav', channels: ['Ada', 'Ben'] }, 'BAD_CHANNELS'],
    ['channels of a second audio stream', { media: 'two-streams.mkv', channels: ['Ada', 'Ben'] }, 'BAD_CHANNELS'],
    ['a file that is not there', { media: 'gone.wav' }, 'FILE_NOT_FOUND'],
    ['a track that is not there', { tracks: ['Ada=gone.wav'] }, 'FILE_NOT_FOUND'],
    ['a media file without sound', { media: 'picture.mp4' }, 'NO_AUDIO'],
    ['a track without sound', { tracks: ['Ada=picture.mp4'] }, 'NO_AUDIO'],
    ['captions that are not there', { media: 'call.wav', captions: 'gone.vtt' }, 'FILE_NOT_FOUND'],
    ['a folder for captions', { media: 'call.wav', captions: tmpdir() }, 'FILE_NOT_FOUND'],
    ['turns that are not there', { media: 'call.wav', rttm: 'gone.rttm' }, 'FILE_NOT_FOUND'],
    ['text only without captions', { media: 'call.wav', privacy: 'text-only' }, 'NOTHING_TO_ANALYZE'],
  ];

  it.each(REFUSED)('refuses %s.', async (_, request, code) => {
    const { code: found, message } = await refusalOf(request);
    expect(found).toBe(code);
    expect(message).toMatch(/^[^\n]{10,}$/);
  });

  it.each([
    ['empty captions', 'captions', '', 'FILE_EMPTY'],
    ['captions in no known format', 'captions', 'Dear diary, nobody may log this.', 'BAD_CAPTIONS'],
    ['empty turns', 'rttm', ' \n', 'FILE_EMPTY'],
    ['turns without a usable line', 'rttm', 'nobody may log this', 'BAD_RTTM'],
    ['turns of other recordings', 'rttm', rttm('a', 'S') + rttm('b', 'S'), 'BAD_RTTM'],
    ['captions without a cue, text only', 'text-only', vtt(), 'NOTHING_TO_ANALYZE'],
  ] as const)('refuses %s without showing what is in the file.', async (name, option, content, code) => {
    const path = sidecar(`${name}.txt`, content);
    const given = option === 'rttm' ? { rttm: path } : { captions: path };
    const privacy = option === 'text-only' ? { privacy: option } : {};
    const refused = await refusalOf({ media: 'call.wav', ...given, ...privacy });
    expect(refused.code).toBe(code);
    expect(refused.message).not.toContain('nobody may log');
  });
});

describe('openInputs, of a gallery,', () => {
  it('watches the tile of each participant, and hears the whole call.', async () => {
    const { audio, video } = await open({ media: 'call.mp4', grid: ['2x2', 'Anna,Ben'] });
    expect(audio).toMatchObject([{ streamId: 'audio', path: 'call.mp4' }]);
    expect(video.map(({ streamId, speaker, area }) => [streamId, speaker?.name, area?.x, area?.width])).toEqual([
      ['tile:Anna', 'Anna', 0, 320],
      ['tile:Ben', 'Ben', 320, 320],
    ]);
  });

  it('refuses tiles where there is no media file, and those that do not fit its picture.', async () => {
    expect(await refusalOf({ tracks: ['Anna=call.mp4'], grid: ['2x2', 'Anna'] })).toMatchObject({ code: 'BAD_OPTION' });
    expect(await refusalOf({ media: 'call.mp4', tiles: ['Anna=400,0,400,300'] })).toMatchObject({ code: 'BAD_OPTION' });
  });
});
