import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Sighting, SightlessReason, VisionExtractor } from '../../src/adapter.ts';
import { BODY_COLUMNS } from '../../src/features/body/bodyFrame.ts';
import { FACE_COLUMNS } from '../../src/features/face/faceFrame.ts';
import { callVideo, firstPicture } from '../support/callVideo.ts';
import { flat, noise, turned } from '../support/oddPictures.ts';
import { BODY_SCRIPT, bodyPicture, correlation } from '../support/scriptedMoves.ts';

/** What every extractor of faces and bodies must do. */
export function describeVisionExtractor(name: string, create: () => VisionExtractor): void {
  describe(`${name} fulfils the contract of vision extractors`, () => {
    let extractor: VisionExtractor;
    beforeAll(() => {
      extractor = create();
    });
    afterAll(() => extractor.close());

    it('finds a body in the bundled call, with finite rows of the documented columns', async () => {
      const stream = await extractor.open({ modalities: ['body'] });
      for await (const picture of callVideo('ada', { endMs: 1_000 })) {
        const [seen] = await stream.examine(picture);
        expect(seen).toMatchObject({ modality: 'body', atMs: picture.atMs });
        const row = rowOf(seen);
        expect(row.length).toBe(BODY_COLUMNS.length);
        expect(row.every(Number.isFinite)).toBe(true);
        expect(row.at(-1)).toBe(1);
      }
      expect(stream.counts).toEqual({ looked: 10, skipped: 0, failed: 0 });
      stream.close();
    });

    it('answers each modality asked for, in that order, and none that was not asked for', async () => {
      const stream = await extractor.open({ modalities: ['face', 'body'] });
      const seen = await stream.examine(await firstPicture());
      expect(seen.map(({ modality }) => modality)).toEqual(['face', 'body']);
      if (extractor.modalities.includes('face')) expect(rowOf(seen[0]).length).toBe(FACE_COLUMNS.length);
      else expect(seen[0]).toMatchObject({ reason: 'no_extractor' });
      stream.close();
    });

    it('gives the same rows for the same pictures', async () => {
      const rows = await Promise.all([0, 1].map(async () => rowsOf(extractor)));
      expect(rows[0]).toEqual(rows[1]);
    });

    it('answers pictures that show nobody, that are broken and that come too late with a reason, and goes on', async () => {
      const stream = await extractor.open({ modalities: extractor.modalities });
      const good = await firstPicture();
      const answers: Record<string, (SightlessReason | 'row')[]> = {};
      for (const picture of [
        { ...good, atMs: 0 },
        { ...flat(320, 240, 0), atMs: 100 },
        { ...noise(320, 240), atMs: 200 },
        { ...flat(1, 1, 128), atMs: 300 },
        { atMs: 400, jpeg: Uint8Array.of(0xff, 0xd8, 0xff, 0, 1, 2, 3) },
        { ...good, atMs: 400, width: 9_000 },
        { ...good, atMs: 400, rgba: good.rgba.subarray(4) },
        { ...good, atMs: 300 },
        { ...good, atMs: 300 },
        { ...good, atMs: 250 },
        { ...good, atMs: NaN },
        { ...flat(7_680, 4_320, 128), atMs: 500 },
        { ...good, atMs: 5_000.25 },
        { ...good, atMs: 5_000.5 },
      ])
        for (const seen of await stream.examine(picture))
          (answers[seen.modality] ??= []).push('reason' in seen ? seen.reason : 'row');
      for (const modality of extractor.modalities)
        expect(answers[modality], modality).toEqual([
          'row',
          'low_light',
          `no_${modality}`,
          `no_${modality}`,
          'decode_error',
          'unsupported_format',
          'decode_error',
          'row',
          'late',
          'late',
          'unsupported_format',
          `no_${modality}`,
          'row',
          'row',
        ]);
      expect(stream.counts).toEqual({ looked: 8, skipped: 0, failed: 6 });
      stream.close();
    });

    it('takes pictures turned on their side, of changing size and at odd times without losing its way back', async () => {
      const stream = await extractor.open({ modalities: extractor.modalities });
      const good = await firstPicture();
      const times = [0, 3, 900, 901.5, 960, 2_000];
      for (const [i, picture] of [good, turned(good), turned(turned(good)), good, good, good].entries())
        for (const seen of await stream.examine({ ...picture, atMs: times[i] ?? NaN })) {
          if ('row' in seen) expect(seen.row.every(Number.isFinite)).toBe(true);
          if (i >= 4) expect('row' in seen, seen.modality).toBe(true);
        }
      stream.close();
    });

    it('tells speeds by the times of the pictures, however unevenly they come', async () => {
      const stream = await extractor.open({ modalities: ['body'] });
      const [raised, speed] = BODY_SCRIPT;
      let before: number | undefined;
      const drawn: number[] = [];
      const read: number[] = [];
      for (const step of [0, 1, 2, 3, 5, 6, 9, 12, 13, 14, 17, 18, 22, 24, 25, 28, 30, 31, 35, 36, 39, 41, 42, 45]) {
        const [seen] = await stream.examine(bodyPicture(step));
        const row = rowOf(seen);
        if (before !== undefined) {
          drawn.push(Math.abs((raised?.drawn(step) ?? NaN) - (raised?.drawn(before) ?? NaN)) / (step - before));
          read.push(speed?.read(row) ?? NaN);
        }
        before = step;
      }
      expect(correlation(drawn, read)).toBeGreaterThan(0.7);
      stream.close();
    });

    it('leaves the picture of the caller as it is', async () => {
      const stream = await extractor.open({ modalities: ['body'] });
      const picture = await firstPicture();
      const before = picture.rgba.slice();
      await stream.examine(picture);
      expect(picture.rgba).toEqual(before);
      stream.close();
    });
  });
}

async function rowsOf(extractor: VisionExtractor): Promise<Float32Array[]> {
  const stream = await extractor.open({ modalities: extractor.modalities });
  const rows: Float32Array[] = [];
  for await (const picture of callVideo('ben', { endMs: 600 }))
    rows.push(...(await stream.examine(picture)).map((seen) => rowOf(seen)));
  stream.close();
  return rows;
}

function rowOf(seen: Sighting | undefined): Float32Array {
  if (!seen || !('row' in seen)) throw new Error(`no row but ${seen?.reason ?? 'nothing'}`);
  return seen.row;
}
