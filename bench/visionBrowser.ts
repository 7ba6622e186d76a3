import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { callVideo, type PixelPicture } from '../test/support/callVideo.ts';
import { HAS_FACE_MODEL, withVisionPage } from '../test/support/visionPage.ts';

const PICTURES = 100;
const WARM_UP = 20;
/** What a tick of /proc is on Linux. */
const TICK_MS = 10;

/**
 * Prints what a picture of 640 × 360 of the bundled call costs in Chromium, without a GPU: CPU ms of all its processes, and median ms
 * until the answer. Needs Linux and Chromium; faces need their model in UNDERTONE_SHARED.
 */
export async function benchVisionBrowser(): Promise<void> {
  if (!existsSync('/proc/self/stat')) return console.log('vision in Chromium: measured on Linux only');
  const pictures: PixelPicture[] = [];
  for await (const picture of callVideo('ada', { width: 640, height: 360, endMs: (PICTURES + WARM_UP) * 100 }))
    pictures.push({ ...picture, rgba: picture.rgba.slice() });
  await withVisionPage(async ({ site, urls, call }) => {
    const served = site.servePictures('call', pictures);
    const kinds = HAS_FACE_MODEL ? [['body'], ['face'], ['face', 'body']] : [['body']];
    for (const modalities of kinds) {
      await call('open', modalities, urls);
      await call('prepare', served.slice(0, WARM_UP));
      await call('lookAtPrepared');
      await call('prepare', served.slice(WARM_UP));
      const before = cpuMsOfChildren();
      const tookMs = await call<number>('lookAtPrepared');
      const cpuMs = (cpuMsOfChildren() - before) / PICTURES;
      await call('end');
      console.log(
        `${modalities.join(' and ').padEnd(14)} ${cpuMs.toFixed(1)} CPU ms per picture in Chromium, ${tookMs.toFixed(0)} ms until the answer`,
      );
    }
  });
}

/** CPU time of all processes that descend from this one and are still there, in ms. */
function cpuMsOfChildren(): number {
  const processes = readdirSync('/proc').flatMap((name) => (/^\d+$/.test(name) ? statOf(Number(name)) : []));
  const parents = new Map(processes.map(({ id, parent }) => [id, parent]));
  const isOurs = (id: number): boolean => {
    for (let at = parents.get(id); at !== undefined; at = parents.get(at)) if (at === process.pid) return true;
    return false;
  };
  return processes.filter(({ id }) => isOurs(id)).reduce((sum, { cpuMs }) => sum + cpuMs, 0);
}

function statOf(id: number): { readonly id: number; readonly parent: number; readonly cpuMs: number }[] {
  try {
    // After the name, which may hold anything but ends with the last parenthesis: state, parent, …, utime, stime.
    const fields = readFileSync(`/proc/${id}/stat`, 'utf8').split(')').at(-1)?.trim().split(' ').map(Number) ?? [];
    return [{ id, parent: fields[1] ?? 0, cpuMs: ((fields[11] ?? 0) + (fields[12] ?? 0)) * TICK_MS }];
  } catch {
    return [];
  }
}

if (process.argv[1]?.includes('visionBrowser')) await benchVisionBrowser();
