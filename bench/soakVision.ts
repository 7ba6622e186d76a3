import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { VisionStream } from '../src/adapter.ts';
import { createVision } from '../src/app/models/createVision.ts';
import { modelsFolder } from '../src/app/models/modelStore.ts';
import { callVideo, type PixelPicture } from '../test/support/callVideo.ts';

const PARTICIPANTS = 4;
const MEGABYTE = 1e6;

/** Returns a number from the command line, as `--minutes 30`. */
function option(name: string, otherwise: number): number {
  const at = process.argv.indexOf(`--${name}`);
  const value = at < 0 ? otherwise : Number(process.argv[at + 1]);
  if (!(value > 0)) throw new RangeError(`--${name} must be a number above 0`);
  return value;
}

/**
 * Looks at the pictures of four participants for so many minutes of a call, as fast as they can be looked at, and prints for
 * every minute the memory of the process and how many pictures failed: memory must not grow, and no thread may be lost.
 * `npx tsx bench/soakVision.ts --minutes 30 --rate 2` (pictures a second; 10 unless told).
 */
async function soakVision(minutes: number, rate: number): Promise<void> {
  const shared = process.env['UNDERTONE_SHARED'];
  const own = modelsFolder(process.env);
  const hasOwn = existsSync(join(own, 'face_landmarker.task'));
  const vision = createVision(hasOwn || !shared ? own : join(shared, 'models'));
  const film = await picturesOf(rate);
  const faults: string[] = [];
  const onFault = ({ code }: { readonly code: string }): void => void faults.push(code);
  const streams = await Promise.all(
    Array.from({ length: PARTICIPANTS }, () => vision.open({ modalities: vision.modalities, onFault })),
  );
  const perMinute = 60 * rate;
  const memory: number[] = [];
  for (let minute = 0; minute < minutes; minute++) {
    await Promise.all(
      streams.map((stream, n) => look(stream, film[n % film.length] ?? [], { minute, perMinute, rate })),
    );
    memory.push(process.memoryUsage.rss() / MEGABYTE);
    const failed = streams.reduce((sum, { counts }) => sum + counts.failed, 0);
    console.log(
      `minute ${minute + 1}: ${memory.at(-1)?.toFixed(0)} MB, ${failed} pictures failed, ${faults.length} faults`,
    );
  }
  const tail = memory.slice(Math.min(5, memory.length - 1));
  console.log(
    `${PARTICIPANTS} participants, ${minutes} minutes, ${rate} pictures a second, ${vision.modalities.join(' and ')}: ` +
      `${tail[0]?.toFixed(0)} MB after ${memory.length - tail.length + 1} minutes, ${memory.at(-1)?.toFixed(0)} MB at the end, ` +
      `most ${Math.max(...memory).toFixed(0)} MB; ${faults.length} threads lost`,
  );
  await vision.close();
}

/** The bundled call's two videos at so many pictures a second. */
async function picturesOf(rate: number): Promise<PixelPicture[][]> {
  const videos: PixelPicture[][] = [];
  for (const name of ['ada', 'ben'] as const) {
    const pictures: PixelPicture[] = [];
    let n = 0;
    for await (const picture of callVideo(name))
      if (n++ % Math.max(1, Math.round(10 / rate)) === 0) pictures.push({ ...picture, rgba: picture.rgba.slice() });
    videos.push(pictures);
  }
  return videos;
}

type Stretch = { readonly minute: number; readonly perMinute: number; readonly rate: number };

/** Looks at one minute of a participant; the film begins again when it is over. */
async function look(
  stream: VisionStream,
  film: readonly PixelPicture[],
  { minute, perMinute, rate }: Stretch,
): Promise<void> {
  for (let n = minute * perMinute; n < (minute + 1) * perMinute; n++) {
    const picture = film[n % film.length];
    if (picture) await stream.examine({ ...picture, atMs: (n * 1_000) / rate });
  }
}

await soakVision(option('minutes', 30), option('rate', 10));
