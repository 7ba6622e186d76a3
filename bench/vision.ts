import { encode } from 'jpeg-js';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { createVision } from '../src/app/models/createVision.ts';
import { modelsFolder } from '../src/app/models/modelStore.ts';
import type { Picture, VisionModality } from '../src/adapter.ts';
import { callVideo } from '../test/support/callVideo.ts';

const PICTURES = 150;
const WARM_UP = 20;
const RATE = 10;

/**
 * Prints CPU ms per picture of 640 × 360 of the bundled call for each kind of stream, participants per core at 10 pictures a
 * second, the share of decoding JPEG, and the memory that a first stream takes. Faces need their model.
 */
export async function benchVision(): Promise<void> {
  const shared = process.env['UNDERTONE_SHARED'];
  const own = modelsFolder(process.env);
  const folder = existsSync(join(own, 'face_landmarker.task')) || !shared ? own : join(shared, 'models');
  const pictures: Picture[] = [];
  for await (const picture of callVideo('ada', { width: 640, height: 360, endMs: (PICTURES + WARM_UP) * 100 }))
    pictures.push({ ...picture, rgba: picture.rgba.slice() });
  for (const modalities of [['body'], ['face'], ['face', 'body']] as const) {
    const name = modalities.join(' and ');
    const cost = await costOf(folder, modalities, pictures);
    if (!cost) console.log(`${name}: no model (undertone models pull)`);
    else
      console.log(
        `${name.padEnd(14)} ${cost.cpuMs.toFixed(1)} CPU ms per picture, ${(1_000 / RATE / cost.cpuMs).toFixed(1)} participants a core at ${RATE}/s, ${cost.megabytes.toFixed(0)} MB`,
      );
  }
  const jpegs = pictures.map((picture) =>
    'rgba' in picture
      ? {
          atMs: picture.atMs,
          jpeg: encode({ width: picture.width, height: picture.height, data: picture.rgba }, 80).data,
        }
      : picture,
  );
  const pixels = await costOf(folder, ['body'], pictures);
  const jpeg = await costOf(folder, ['body'], jpegs);
  if (pixels && jpeg) console.log(`decoding JPEG    ${(jpeg.cpuMs - pixels.cpuMs).toFixed(1)} CPU ms per picture`);
}

async function costOf(
  folder: string,
  modalities: readonly VisionModality[],
  pictures: readonly Picture[],
): Promise<{ readonly cpuMs: number; readonly megabytes: number } | undefined> {
  const before = process.memoryUsage.rss();
  const vision = createVision(folder);
  try {
    if (modalities.some((modality) => !vision.modalities.includes(modality))) return undefined;
    const stream = await vision.open({ modalities });
    for (const picture of pictures.slice(0, WARM_UP)) await stream.examine(picture);
    const start = process.cpuUsage();
    for (const picture of pictures.slice(WARM_UP)) await stream.examine(picture);
    const { user, system } = process.cpuUsage(start);
    const cpuMs = (user + system) / 1_000 / (pictures.length - WARM_UP);
    return { cpuMs, megabytes: (process.memoryUsage.rss() - before) / 1e6 };
  } finally {
    await vision.close();
  }
}

if (process.argv[1]?.includes('vision')) await benchVision();
