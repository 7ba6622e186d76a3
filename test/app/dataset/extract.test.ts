import { appendFile, readdir, readFile, rm, symlink, truncate, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { from, lastValueFrom, toArray } from 'rxjs';
import { describe, expect, it } from 'vitest';
import { createFfmpegReader } from '../../../adapters/media/ffmpeg/createFfmpegReader.ts';
import type { MediaReader } from '../../../src/adapter.ts';
import { extractFeatures, type ExtractionProgress } from '../../../src/app/dataset/extract.ts';
import type { Extraction } from '../../../src/app/dataset/extractionCache.ts';
import type { UtteranceEvidence } from '../../../src/domain/utterance.ts';
import { prosody8 } from '../../../src/features/audio/prosody.ts';
import { SEGMENT_COLUMNS, segmentDescriptors } from '../../../src/features/audio/segments.ts';
import { collectEvidence, DEFAULT_EVIDENCE } from '../../../src/operators/collectEvidence.ts';
import type { Signal } from '../../../src/operators/signal.ts';
import { readDataset } from '../../../src/training/dataset.ts';
import { type MetaUtterance, voiceLike, writeMeta, writeWav } from '../../support/mediaDataset.ts';
import { ADA, opened } from '../../support/scriptedCall.ts';
import { createFolders } from '../../support/tinyDataset.ts';

const newFolder = createFolders();

/** The real reader, counting the files it opens; `onOpen` sees each path. */
function countingReader(onOpen?: (path: string) => void): { reader: MediaReader; opened: string[] } {
  const real = createFfmpegReader();
  const paths: string[] = [];
  const decodeAudio: MediaReader['decodeAudio'] = (path, selection) => {
    paths.push(path);
    onOpen?.(path);
    return real.decodeAudio(path, selection);
  };
  return { reader: { ...real, decodeAudio }, opened: paths };
}

type Extra = Partial<Parameters<typeof extractFeatures>[1]>;

async function extract(folder: string, extra: Extra = {}): Promise<Extraction | undefined> {
  const options = { reader: createFfmpegReader(), media: folder, cache: join(folder, 'cache'), ...extra };
  return extractFeatures(await readDataset(folder), options);
}

/** Three clips of their own. */
async function clips(): Promise<string> {
  const folder = await newFolder();
  const names = ['a.wav', 'b.wav', 'c.wav'];
  for (const [i, name] of names.entries()) await writeWav(folder, name, voiceLike(0.5 + i / 4, 120 + 40 * i));
  return writeMeta(folder, [names.map((audio, i) => ({ id: `${i}`, text: 'secret', media: { audio } }))]);
}

/** What a live session collects for a stretch of a recording. */
async function liveEvidence(path: string, startMs: number, endMs: number): Promise<UtteranceEvidence | undefined> {
  const signals: Signal[] = [opened('a', 'audio', ADA)];
  for await (const block of createFfmpegReader().decodeAudio(path))
    signals.push({
      type: 'voice',
      arrivalMs: block.startMs + 100,
      streamId: 'a',
      ...block,
      speech: new Float32Array(0),
      speechStartMs: block.startMs,
      frameMs: 32,
    });
  const record = { utterance: { id: 'u', speaker: ADA, startMs, endMs }, streamId: 'a', overlaps: [], text: null };
  signals.push({ type: 'utteranceAligned', arrivalMs: 99_000, isNew: true, record });
  const collect = collectEvidence({
    inputs: new Set(['prosody', 'segments']),
    privacy: 'none',
    hasTurns: false,
    lookAhead: 0,
    features: { prosody: prosody8, segments: segmentDescriptors },
    settings: DEFAULT_EVIDENCE,
  });
  const out = await lastValueFrom(from(signals).pipe(collect, toArray()));
  return out.flatMap((signal) => (signal.type === 'utteranceMeasured' ? [signal.evidence] : []))[0];
}

describe('extractFeatures', () => {
  it('gives the numbers that a live session gives, for clips and for parts of a dialogue.', async () => {
    const folder = await newFolder();
    await writeWav(folder, 'talk/all.wav', voiceLike(4, 130));
    await writeWav(folder, 'clip.wav', voiceLike(0.8123, 210));
    const [first, second] = [
      [0.5003, 1.7],
      [1.2, 3.33391],
    ] as const;
    const all = { audio: 'talk/all.wav' };
    const cuts: MetaUtterance[] = [
      { id: '0', start: second[0], end: second[1], media: all },
      { id: '1', start: first[0], end: first[1], media: all },
    ];
    await writeMeta(folder, [cuts, [{ id: '0', media: { audio: 'clip.wav' } }]]);
    const features = (await extract(folder))!.features;
    const live = [
      await liveEvidence(join(folder, 'talk/all.wav'), second[0] * 1000, second[1] * 1000),
      await liveEvidence(join(folder, 'talk/all.wav'), first[0] * 1000, first[1] * 1000),
      await liveEvidence(join(folder, 'clip.wav'), 0, 813),
    ];
    for (const [u, evidence] of live.entries()) {
      expect(evidence!.prosody).toHaveLength(8);
      expect(features.get('prosody8')!.rowsOf(u)).toEqual(evidence!.prosody);
      expect(features.get('segments')!.rowsOf(u)).toEqual(evidence!.segments);
    }
    expect(features.get('segments')).toMatchObject({ kind: 'sequence', dim: 32, columns: SEGMENT_COLUMNS });
    expect(features.get('segments')!.rowsOf(2)).toHaveLength(9 * 32);
  });

  it('does not cut what is said to be a clip, nor by times that are text, and takes sound from video.', async () => {
    const folder = await newFolder();
    for (const name of ['a.wav', 'b.wav', 'c.wav']) await writeWav(folder, name, voiceLike(1));
    await writeMeta(folder, [
      [
        { id: '0', start: 0.5, end: 0.8, media: { audio: 'a.wav', clips: ['audio'] } },
        { id: '1', start: '00:16:16,059', end: '00:16:21,731', media: { audio: 'b.wav' } },
        { id: '2', start: 0.5, end: 0.8, media: { video: 'c.wav' } },
        { id: '3', start: 0.5, end: 0.8, media: { audio: 'a.wav', video: 'b.wav', clips: ['video'] } },
      ],
    ]);
    const durations = [0, 1, 2, 3].map((u) => u);
    const { features } = (await extract(folder))!;
    const seconds = durations.map((u) => features.get('prosody8')!.rowsOf(u)![0]);
    expect(seconds).toEqual([1, 1, expect.closeTo(0.3), expect.closeTo(0.3)]);
  });

  it('measures nothing twice: the second time no file is opened, and the features are the same.', async () => {
    const folder = await clips();
    const first = (await extract(folder))!;
    const { reader, opened: paths } = countingReader();
    const second = (await extract(folder, { reader }))!;
    expect([first.wasCached, second.wasCached, paths]).toEqual([false, true, []]);
    for (const name of ['prosody8', 'segments'])
      for (const u of [0, 1, 2]) {
        expect(second.features.get(name)!.rowsOf(u)).toEqual(first.features.get(name)!.rowsOf(u));
        expect(second.features.get(name)!.rowsOf(u)).toBeInstanceOf(Float32Array);
      }
  });

  it('keeps a dataset in format 1, without text or speakers, and nothing beside it.', async () => {
    const folder = await clips();
    const { folder: kept } = (await extract(folder))!;
    expect((await readDataset(kept)).features.get('prosody8')!.rowsOf(1)).toHaveLength(8);
    expect(await readFile(join(kept, 'meta.json'), 'utf8')).not.toMatch(/secret|Ada/);
    expect(await readdir(join(folder, 'cache'))).toHaveLength(1);
  });

  it.each([
    ['size', (folder: string) => appendFile(join(folder, 'b.wav'), new Uint8Array(2))],
    ['time of change', (folder: string) => utimes(join(folder, 'b.wav'), 1, 1)],
    ['absence', (folder: string) => rm(join(folder, 'b.wav'))],
  ])('measures anew when the %s of a file is another.', async (_, change) => {
    const folder = await clips();
    await extract(folder);
    await change(folder);
    expect((await extract(folder))!.wasCached).toBe(false);
  });

  it('measures anew when what it kept is damaged.', async () => {
    const folder = await clips();
    const { folder: kept } = (await extract(folder))!;
    await truncate(join(kept, 'prosody8.f32'), 9);
    expect(await extract(folder)).toMatchObject({ wasCached: false, folder: kept });
    await writeFile(join(kept, 'problems.json'), '{');
    expect(await extract(folder)).toMatchObject({ wasCached: false, folder: kept });
    expect((await extract(folder))!.wasCached).toBe(true);
  });

  it('masks what cannot be measured, says which file and why, and goes on.', async () => {
    const folder = await newFolder();
    await writeWav(folder, 'good.wav', voiceLike(1));
    await writeWav(folder, 'broken.wav', voiceLike(1), 20_000);
    await writeWav(folder, 'silent.wav', new Float32Array(16_000));
    await writeFile(join(folder, 'empty.wav'), '');
    await writeFile(join(folder, 'text.wav'), 'this is not sound');
    const files = ['missing.wav', 'broken.wav', 'empty.wav', 'text.wav', 'silent.wav', 'good.wav'];
    await writeMeta(folder, [
      [...files.map((audio, i) => ({ id: `${i}`, text: 'secret', media: { audio } })), { id: '6', text: 'no media' }],
    ]);
    const { features, problems } = (await extract(folder))!;
    expect(problems.map(({ index, file, rule }) => [index, file, rule])).toEqual([
      [0, 'missing.wav', expect.stringMatching(/no such file/)],
      [1, 'broken.wav', expect.stringMatching(/breaks off/)],
      [2, 'empty.wav', expect.stringMatching(/empty/)],
      [3, 'text.wav', expect.stringMatching(/no audio or video/)],
    ]);
    const present = (name: string): boolean[] =>
      [0, 1, 2, 3, 4, 5, 6].map((u) => features.get(name)!.rowsOf(u) !== undefined);
    expect(present('prosody8')).toEqual([false, false, false, false, false, true, false]);
    expect(present('segments')).toEqual([false, false, false, false, true, true, false]);
    expect(JSON.stringify(problems)).not.toMatch(/secret|Ada/);
    expect((await extract(folder))!.problems).toEqual(problems);
  });

  it('masks utterances whose times do not fit, and keeps the others of the file.', async () => {
    const folder = await newFolder();
    await writeWav(folder, 'all.wav', voiceLike(2));
    const media = { audio: 'all.wav' };
    await writeMeta(folder, [
      [
        { id: '0', start: 0.2, end: 1, media },
        { id: '1', start: 1, end: 1, media },
        { id: '2', start: 5, end: 6, media },
        { id: '3', start: 0, end: 601, media },
        { id: '4', media },
        { id: '5', media },
      ],
    ]);
    const { features, problems } = (await extract(folder))!;
    expect(problems.map(({ index, rule }) => [index, rule]).sort()).toEqual([
      [1, 'an utterance ends before it starts'],
      [2, 'it ends before the utterance'],
      [3, 'an utterance is longer than 10 minutes'],
      [5, 'several utterances name it without times'],
    ]);
    expect([0, 4].map((u) => features.get('prosody8')!.rowsOf(u)![0])).toEqual([expect.closeTo(0.8), 2]);
  });

  it('keeps the utterances before the place where a dialogue breaks off.', async () => {
    const folder = await newFolder();
    await writeWav(folder, 'all.wav', voiceLike(4), 44 + 2 * 32_000);
    const media = { audio: 'all.wav' };
    await writeMeta(folder, [
      [
        { id: '0', start: 0.5, end: 1.5, media },
        { id: '1', start: 3, end: 3.5, media },
      ],
    ]);
    const { features, problems } = (await extract(folder))!;
    expect(features.get('segments')!.rowsOf(0)).toHaveLength(10 * 32);
    expect(features.get('segments')!.rowsOf(1)).toBeUndefined();
    expect(problems).toEqual([expect.objectContaining({ index: 1, file: 'all.wav' })]);
  });

  it('goes on where it was interrupted, also past a record that was cut off.', async () => {
    const folder = await clips();
    const stop = new AbortController();
    const report = ({ done }: ExtractionProgress): void => void (done === 1 && stop.abort());
    expect(await extract(folder, { signal: stop.signal, report })).toBeUndefined();
    const [part, ...more] = await readdir(join(folder, 'cache'));
    expect([part, more]).toEqual([expect.stringMatching(/^[0-9a-f]{32}\.part$/), []]);
    await appendFile(join(folder, 'cache', part!), new Uint8Array(30).fill(1));
    const { reader, opened: paths } = countingReader();
    const resumed = (await extract(folder, { reader }))!;
    expect(paths).toHaveLength(2);
    await rm(join(folder, 'cache'), { recursive: true });
    const straight = (await extract(folder))!;
    for (const u of [0, 1, 2])
      for (const name of ['prosody8', 'segments'])
        expect(resumed.features.get(name)!.rowsOf(u)).toEqual(straight.features.get(name)!.rowsOf(u));
    expect(await readdir(join(folder, 'cache'))).toHaveLength(1);
  });

  it('takes over the journal of a process that is gone, and leaves that of one that runs.', async () => {
    const folder = await clips();
    const stop = new AbortController();
    await extract(folder, { signal: stop.signal, report: () => stop.abort() });
    const cache = join(folder, 'cache');
    const [part] = await readdir(cache);
    const key = part!.slice(0, 32);
    const journal = await readFile(join(cache, part!));
    await rm(join(cache, part!));
    await writeFile(join(cache, `${key}.1.part`), journal); // process 1 always runs
    const beside = countingReader();
    await extract(folder, { reader: beside.reader });
    expect(beside.opened).toHaveLength(3);
    expect((await readdir(cache)).sort()).toEqual([key, `${key}.1.part`].sort());
    await rm(join(cache, key), { recursive: true });
    await rm(join(cache, `${key}.1.part`));
    await writeFile(join(cache, `${key}.4194399.part`), journal); // above the highest process id of Linux
    const taken = countingReader();
    await extract(folder, { reader: taken.reader });
    expect(taken.opened.length).toBeLessThan(3);
    expect(await readdir(cache)).toEqual([key]);
  });

  it('reports how far it is, up to the end, with what failed.', async () => {
    const folder = await clips();
    await rm(join(folder, 'b.wav'));
    const reports: ExtractionProgress[] = [];
    await extract(folder, { report: (progress) => reports.push(progress) });
    expect(reports.map(({ done }) => done)).toEqual([1, 2, 3]);
    expect(reports.at(-1)).toEqual({ done: 3, total: 3, failed: 1 });
  });

  it('opens two files at a time and no more.', async () => {
    const folder = await newFolder();
    const names = Array.from({ length: 6 }, (_, i) => `${i}.wav`);
    for (const name of names) await writeWav(folder, name, voiceLike(0.3));
    await writeMeta(folder, [names.map((audio, i) => ({ id: `${i}`, media: { audio } }))]);
    let open = 0;
    let most = 0;
    const real = createFfmpegReader();
    const decodeAudio: MediaReader['decodeAudio'] = async function* (path) {
      most = Math.max(most, ++open);
      try {
        yield* real.decodeAudio(path);
      } finally {
        open -= 1;
      }
    };
    await extract(folder, { reader: { ...real, decodeAudio } });
    expect([most, open]).toEqual([2, 0]);
  });

  it('ends with what is not the fault of a file, and keeps what was measured.', async () => {
    const folder = await clips();
    const binary = { path: join(folder, 'no-ffmpeg'), origin: 'FFMPEG_PATH' } as never;
    await expect(extract(folder, { reader: createFfmpegReader({ binary }) })).rejects.toMatchObject({
      code: 'FFMPEG_MISSING',
    });
    const { reader } = countingReader((path) => {
      if (path.endsWith('c.wav')) throw new TypeError('a defect');
    });
    await expect(extract(folder, { reader })).rejects.toThrow('a defect');
    const rest = countingReader();
    await extract(folder, { reader: rest.reader });
    expect(rest.opened.length).toBeLessThan(3);
  });

  it('refuses a link out of the folder, and a cache that cannot be made.', async () => {
    const folder = await clips();
    const outside = await newFolder();
    await writeWav(outside, 'x.wav', voiceLike(0.3));
    await rm(join(folder, 'a.wav'));
    await symlink(join(outside, 'x.wav'), join(folder, 'a.wav'));
    await expect(extract(folder)).rejects.toMatchObject({ code: 'BAD_DATASET' });
    await expect(extract(await clips(), { cache: join(folder, 'b.wav', 'cache') })).rejects.toMatchObject({
      code: 'OUTPUT_FAILED',
    });
  });
});
