import { readFile } from 'node:fs/promises';
import { describe, expect } from 'vitest';
import { buildPoseTask } from '../../../adapters/vision/mediapipe/buildPoseTask.ts';
import { createMediapipeExtractor } from '../../../adapters/vision/mediapipe/createMediapipeExtractor.ts';
import type { Sighting, VisionModality } from '../../../src/adapter.ts';
import { BODY_COLUMNS } from '../../../src/features/body/bodyFrame.ts';
import { FACE_COLUMNS } from '../../../src/features/face/faceFrame.ts';
import { callVideo, type PixelPicture } from '../../support/callVideo.ts';
import { itInChromium } from '../../support/chromium.ts';
import {
  BODY_SCRIPT,
  BODY_STEPS,
  bodyPicture,
  correlations,
  FACE_SCRIPT,
  FACE_STEPS,
  facePicture,
  toShare,
} from '../../support/scriptedMoves.ts';
import {
  HAS_FACE_MODEL,
  itSeesFacesInChromium,
  type PageSighting,
  readFaceModel,
  withVisionPage,
} from '../../support/visionPage.ts';

const MODALITIES: readonly VisionModality[] = HAS_FACE_MODEL ? ['face', 'body'] : ['body'];
const FACES = HAS_FACE_MODEL ? '' : ' (bodies only: faces need the model in UNDERTONE_SHARED)';
const CALL = new URL('../../../fixtures/call/ada.mp4', import.meta.url);

describe('vision in Chromium', () => {
  itInChromium(`gives the rows that Node gives of the same pictures${FACES}`, () =>
    withVisionPage(async ({ site, urls, call }) => {
      const pictures = await callPictures(4_000);
      await call('open', MODALITIES, urls);
      const seen = await call<PageSighting[]>('examine', site.servePictures('ada', pictures));
      const inNode = await examineInNode(pictures);
      expect(seen.map(({ modality, atMs, reason }) => ({ modality, atMs, reason }))).toEqual(
        inNode.map((one) => ({ modality: one.modality, atMs: one.atMs, reason: reasonOf(one) })),
      );
      const differences = differencesOf(seen, inNode).map(({ difference }) => difference);
      // A body is found in about half of them.
      expect(differences.length).toBeGreaterThan(15 * 28);
      expect(Math.max(...differences)).toBeLessThanOrEqual(0.02);
    }),
  );

  itInChromium(`gives nearly the rows that Node gives of a file that each decodes by itself${FACES}`, () =>
    withVisionPage(async ({ site, urls, call }) => {
      site.serve('/ada.mp4', () => readFile(CALL), 'video/mp4');
      // The first is on show already.
      const pictures = (await callPictures(4_000)).slice(1);
      await call('open', MODALITIES, urls);
      const times = pictures.map(({ atMs }) => atMs);
      const seen = await call<PageSighting[]>('examineVideo', '/ada.mp4', times);
      const differences = differencesOf(seen, await examineInNode(pictures));
      // Two decoders make colours of the same film that differ by a step or two of 255, and a depth that is guessed, or a speed,
      // multiplies what that does.
      for (const column of ['mouthSmileLeft', 'jawOpen', 'eyeBlinkLeft', 'browInnerUp', 'yawRad', 'leftUpperArmRad'])
        for (const { difference } of differences.filter(({ name }) => name === column))
          expect(difference, column).toBeLessThanOrEqual(0.05);
      const all = differences.map(({ difference }) => difference).sort((a, b) => a - b);
      // Bodies alone differ more: their angles and speeds are what a guessed depth multiplies.
      expect(all[Math.floor(all.length * 0.95)]).toBeLessThanOrEqual(HAS_FACE_MODEL ? 0.02 : 0.06);
    }),
  );

  itSeesFacesInChromium('smile, blink, turn, jaw and frown correlate with what an avatar does', () =>
    withVisionPage(async ({ site, urls, call }) => {
      await call('open', ['face'], urls);
      const pictures = Array.from({ length: FACE_STEPS }, (_, step) => facePicture(step));
      const seen = await call<PageSighting[]>('examine', site.servePictures('face', pictures));
      expect(seen.filter(({ row }) => row).length).toBeGreaterThan(110);
      const found = correlations(
        FACE_SCRIPT,
        seen.map(({ row }) => row),
      );
      for (const { name, least } of FACE_SCRIPT) expect(found[name], name).toBeGreaterThan(least);
    }),
  );

  itInChromium('arms that go up and their speed correlate with what a figure does', () =>
    withVisionPage(async ({ site, urls, call }) => {
      await call('open', ['body'], urls);
      const pictures = Array.from({ length: BODY_STEPS }, (_, step) => bodyPicture(step));
      const seen = await call<PageSighting[]>('examine', site.servePictures('body', pictures));
      expect(seen.filter(({ row }) => row)).toHaveLength(BODY_STEPS);
      const found = correlations(
        BODY_SCRIPT,
        seen.map(({ row }) => row),
      );
      for (const { name, least } of BODY_SCRIPT) expect(found[name], name).toBeGreaterThan(least);
    }),
  );
});

/** Pictures of the bundled call that both decoders show: every 200 ms, a picture of the file (15 a second) is taken as it is. */
async function callPictures(endMs: number): Promise<PixelPicture[]> {
  const pictures: PixelPicture[] = [];
  for await (const picture of callVideo('ada', { endMs }))
    if (picture.atMs % 200 === 0) pictures.push({ ...picture, rgba: picture.rgba.slice() });
  return pictures;
}

async function examineInNode(pictures: readonly PixelPicture[]): Promise<Sighting[]> {
  const extractor = createMediapipeExtractor({
    models: { body: buildPoseTask, ...(HAS_FACE_MODEL && { face: readFaceModel }) },
    threads: 1,
  });
  const stream = await extractor.open({ modalities: MODALITIES });
  const seen: Sighting[] = [];
  for (const picture of pictures) seen.push(...(await stream.examine(picture)));
  await extractor.close();
  return seen;
}

function reasonOf(seen: Sighting): string | undefined {
  return 'reason' in seen ? seen.reason : undefined;
}

/** Column by column, of pictures in which both saw somebody: blendshapes as shares, the rest in its unit. */
function differencesOf(
  seen: readonly PageSighting[],
  inNode: readonly Sighting[],
): { readonly name: string; readonly difference: number }[] {
  return seen.flatMap(({ modality, row }, i) => {
    const other = inNode[i];
    if (!row || !other || !('row' in other)) return [];
    const columns = modality === 'face' ? FACE_COLUMNS : BODY_COLUMNS;
    const isShare = (column: number): boolean => modality === 'face' && column < FACE_COLUMNS.indexOf('yawRad');
    const plain = (value: number, column: number): number => (isShare(column) ? toShare(value) : value);
    return columns.map((name, column) => ({
      name,
      difference: Math.abs(plain(row[column] ?? NaN, column) - plain(other.row[column] ?? NaN, column)),
    }));
  });
}
