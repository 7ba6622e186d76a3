import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { buildPoseTask } from '../../../../adapters/vision/mediapipe/buildPoseTask.ts';
import { createMediapipeExtractor } from '../../../../adapters/vision/mediapipe/createMediapipeExtractor.ts';
import type { VisionExtractor, VisionModality } from '../../../../src/adapter.ts';
import { drawHandAt } from '../../../support/armedFigure.ts';

const shared = process.env['UNDERTONE_SHARED'];
/** MediaPipe's bodies follow slowly: a hand is where it was drawn after some pictures. */
const PICTURES = 12;

describe.skipIf(!shared)(`a hand before the face${shared ? '' : ' (skipped: needs UNDERTONE_SHARED)'}`, () => {
  let extractor: VisionExtractor;
  beforeAll(() => {
    const face = (): Promise<Uint8Array> => readFile(join(shared ?? '', 'models', 'face_landmarker.task'));
    extractor = createMediapipeExtractor({ models: { body: buildPoseTask, face }, threads: 1 });
  });
  afterAll(() => extractor.close());

  /** What is said of the face in the last of many pictures with the fingers at a place. */
  const faceWith = async (x: number, y: number, modalities: VisionModality[] = ['face', 'body']): Promise<string> => {
    const stream = await extractor.open({ modalities });
    const picture = drawHandAt({ x, y });
    let last = '';
    for (let i = 0; i < PICTURES; i++)
      for (const seen of await stream.examine({ ...picture, rgba: picture.rgba.slice(), atMs: i * 100 }))
        if (seen.modality === 'face') last = 'row' in seen ? 'row' : seen.reason;
    stream.close();
    return last;
  };

  it.each([
    ['mouth', 0, 0.55],
    ['nose', 0, 0.2],
    ['eye', 0.35, -0.2],
    ['forehead', 0, -0.6],
  ])('covers it on the %s', async (_, x, y) => {
    expect(await faceWith(x, y)).toBe('face_covered');
  });

  it.each([
    ['holds up the chin', 0.1, 1],
    ['lies on the ear', 1.1, 0],
    ['is beside it', 1.6, 0.3],
    ['is below it', 0.3, 1.6],
  ])('does not where it %s', async (_, x, y) => {
    expect(await faceWith(x, y)).toBe('row');
  });

  it('is not noticed where bodies are not looked at', async () => {
    expect(await faceWith(0, 0.55, ['face'])).toBe('row');
  });
});
