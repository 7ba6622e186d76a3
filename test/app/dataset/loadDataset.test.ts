import { rm } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { createFfmpegReader } from '../../../adapters/media/ffmpeg/createFfmpegReader.ts';
import type { MediaReader } from '../../../src/adapter.ts';
import {
  defaultCache,
  loadDataset,
  type LoadedDataset,
  type LoadOptions,
} from '../../../src/app/dataset/loadDataset.ts';
import { voiceLike, writeMeta, writeWav } from '../../support/mediaDataset.ts';
import { createFolders, EVERY_KIND, writeDataset } from '../../support/tinyDataset.ts';

const newFolder = createFolders();

async function load(folder: string, wanted: readonly string[], extra: Partial<LoadOptions> = {}) {
  let opened = 0;
  const extract = async (): Promise<MediaReader> => {
    opened += 1;
    return createFfmpegReader();
  };
  const loaded = await loadDataset(folder, { wanted, extract, cache: join(await newFolder(), 'cache'), ...extra });
  return { ...(loaded as LoadedDataset), loaded, opened: () => opened };
}

async function twoClips(): Promise<string> {
  const folder = await newFolder();
  await writeWav(folder, 'a.wav', voiceLike(0.4));
  await writeWav(folder, 'silent.wav', new Float32Array(6_400));
  const media = (audio: string) => ({ id: audio, media: { audio } });
  return writeMeta(folder, [[media('a.wav'), media('silent.wav')]]);
}

describe('loadDataset', () => {
  it('extracts what is wanted and absent, under its name in a dataset or in weights.', async () => {
    const folder = await twoClips();
    const names = async (...wanted: string[]): Promise<string[]> => [
      ...(await load(folder, wanted)).dataset.features.keys(),
    ];
    expect(await names('prosody8', 'segments')).toEqual(['prosody8', 'segments']);
    expect(await names('text', 'prosody')).toEqual(['prosody8']);
    expect(await names('segments', 'au35')).toEqual(['segments']);
  });

  it('gives no segments where prosody is wanted and cannot be measured, as a live session does.', async () => {
    const folder = await twoClips();
    const segmentsOf = async (wanted: string[]): Promise<boolean[]> => {
      const { dataset } = await load(folder, wanted);
      return [0, 1].map((u) => dataset.features.get('segments')!.rowsOf(u) !== undefined);
    };
    expect(await segmentsOf(['prosody', 'segments'])).toEqual([true, false]);
    expect(await segmentsOf(['segments'])).toEqual([true, true]);
  });

  it('opens no media when nothing is wanted of them, or when there are none.', async () => {
    const text = await load(await twoClips(), ['text', 'face']);
    expect([text.opened(), text.extracted, text.dataset.features.size]).toEqual([0, [], 0]);
    const none = await load(await writeMeta(await newFolder(), [[{ id: '0' }]]), ['prosody', 'segments']);
    expect([none.opened(), none.extracted, none.problems]).toEqual([0, [], []]);
  });

  it('never replaces what a dataset has.', async () => {
    const folder = await writeDataset(await newFolder(), EVERY_KIND);
    const { dataset, opened } = await load(folder, ['prosody8', 'prosody', 'segments']);
    expect(opened()).toBe(0);
    expect(dataset.features.get('prosody')!.rowsOf(0)).toEqual(Float32Array.of(1, 2));
  });

  it('finds media below another folder when one is named.', async () => {
    const folder = await writeMeta(await newFolder(), [[{ id: '0', media: { audio: 'x/a.wav' } }]]);
    const media = await newFolder();
    await writeWav(media, 'x/a.wav', voiceLike(0.4));
    expect((await load(folder, ['segments'], { media })).dataset.features.get('segments')!.rowsOf(0)).toHaveLength(128);
    expect((await load(folder, ['segments'])).problems).toHaveLength(1);
  });

  it('names missing files and goes on, or stops when it is strict.', async () => {
    const folder = await twoClips();
    await rm(join(folder, 'a.wav'));
    expect((await load(folder, ['segments'])).problems).toEqual([
      { index: 0, file: 'a.wav', rule: expect.stringContaining('no such file') },
    ]);
    await expect(load(folder, ['segments'], { strict: true })).rejects.toMatchObject({
      code: 'BAD_DATASET',
      message: expect.stringMatching(/a\.wav: .*no such file/),
    });
  });

  it('returns nothing when it was interrupted.', async () => {
    expect((await load(await twoClips(), ['segments'], { signal: AbortSignal.abort() })).loaded).toBeUndefined();
  });
});

describe('defaultCache', () => {
  it('is below the cache folder of the user.', () => {
    expect(defaultCache({ XDG_CACHE_HOME: '/var/cache/me' })).toBe(join('/var/cache/me', 'undertone', 'features'));
    expect(defaultCache({ XDG_CACHE_HOME: '' })).toBe(join(homedir(), '.cache', 'undertone', 'features'));
    expect(defaultCache({})).toBe(defaultCache({ XDG_CACHE_HOME: '' }));
  });
});

const shared = process.env['UNDERTONE_SHARED'];

describe('loadDataset on the research data', () => {
  if (shared === undefined) it.skip('skipped: the research data need UNDERTONE_SHARED.');
  else
    it('measures clips of actors: FLAC, a few seconds, a voice of human pitch.', async () => {
      const clips = ['01-01-01-01-01', '05-02-01-01-01'].map((take) => `Actor_01/03-01-${take}.flac`);
      const folder = await writeMeta(await newFolder(), [clips.map((audio) => ({ id: audio, media: { audio } }))]);
      const media = join(shared, 'data', 'ravdess');
      const { dataset, problems } = await load(folder, ['prosody', 'segments'], { media });
      expect(problems).toEqual([]);
      for (const u of [0, 1]) {
        const [seconds = 0, , , pitchHz] = dataset.features.get('prosody8')!.rowsOf(u)!;
        expect(seconds).toBeGreaterThan(2.5);
        expect(pitchHz).toBeGreaterThan(75);
        expect(pitchHz).toBeLessThan(400);
        expect(dataset.features.get('segments')!.rowsOf(u)).toHaveLength(32 * Math.ceil(10 * seconds));
      }
    });
});
