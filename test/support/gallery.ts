import { fileURLToPath } from 'node:url';
import { createFfmpegReader } from '../../adapters/media/ffmpeg/createFfmpegReader.ts';
import type { VisionModality } from '../../src/adapter.ts';
import type { Looking } from '../../src/app/models/openLooking.ts';
import type { VideoInput } from '../../src/app/replay/inputs.ts';
import { readAhead } from '../../src/app/replay/readAhead.ts';
import { seePictures } from '../../src/app/replay/seePictures.ts';
import { toTiles } from '../../src/app/replay/tiles.ts';
import type { MediaFolder } from './mediaFiles.ts';

const SIZE = { index: 0, width: 640, height: 480, framesPerSecond: 10 };
/** Pictures a second, here and where they are looked at. */
const RATE = 10;
const HALF_SECOND = RATE / 2;
/** The part of the bundled call that is shown again and again. */
const PERIOD_S = 60;

/** A gallery of Ada, Ben and two empty tiles; Ben is gone from `awayMs` until `backMs`. */
export type Gallery = { readonly seconds: number; readonly awayMs: number; readonly backMs: number };

/** What was seen of a participant, by picture; undefined where nobody was. */
export type Rows = readonly (Float32Array | undefined)[];

const videoOf = (name: string): string => fileURLToPath(new URL(`../../fixtures/call/${name}.mp4`, import.meta.url));

/** Writes what a participant shows, alone, once; returns the path. */
export function makeAlone(folder: MediaFolder, name: 'ada' | 'ben', seconds: number): string {
  const args = ['-i', videoOf(name), '-vf', `fps=${RATE},scale=320:240`, ...made(Math.min(seconds, PERIOD_S))];
  return folder.make(`${name}.mp4`, args);
}

/** Writes the gallery of two such videos, played again and again, as a video of 640 × 480 without sound; returns the path. */
export function makeGallery(
  folder: MediaFolder,
  [ada, ben]: readonly [ada: string, ben: string],
  { seconds, awayMs, backMs }: Gallery,
): string {
  const gone = `drawbox=t=fill:color=0x7a8790:enable='between(t,${awayMs / 1_000},${backMs / 1_000 - 0.01})'`;
  const empty = `color=0x303840:s=320x240:r=${RATE}`;
  const tiles = 'xstack=inputs=4:layout=0_0|w0_0|0_h0|w0_h0';
  const looped = [ada, ben].flatMap((path) => ['-stream_loop', '-1', '-i', path]);
  const graph = `[1:v]${gone}[b];${empty}[c];${empty}[d];[0:v][b][c][d]${tiles}`;
  return folder.make('gallery.mp4', [...looped, '-filter_complex', graph, ...made(seconds)]);
}

function made(seconds: number): string[] {
  return ['-t', String(seconds), '-an', '-c:v', 'libx264', '-preset', 'ultrafast', '-crf', '16'];
}

/** The tiles of the gallery as `--grid 2x2 Ada,Ben` cuts them. */
export function gridOf(path: string): readonly VideoInput[] {
  const tiles = toTiles({ grid: ['2x2', 'Ada,Ben'] }, SIZE);
  return tiles.map(({ speaker, area }) => ({ streamId: `tile:${speaker.id}`, path, speaker, area }));
}

/** Has each picture of a video looked at as a replay does. */
export async function rowsOf(input: VideoInput, looking: Looking, modality: VisionModality): Promise<Rows> {
  const rows: (Float32Array | undefined)[] = [];
  for await (const { observations } of readAhead(seePictures(input, createFfmpegReader(), looking), 3))
    for (const one of observations) if (one.type === 'visual' && one.modality === modality) rows.push(one.row);
  return rows;
}

/**
 * In how many half seconds what a tile shows is nearer to the other participant than to its own; of those of which most
 * pictures show somebody in all three. (In one picture alone two faces may look the same.)
 */
export function countSwaps(
  tile: Rows,
  own: Rows,
  other: Rows,
): { readonly swapped: number; readonly compared: number } {
  let swapped = 0;
  let compared = 0;
  for (let from = 0; from < tile.length; from += HALF_SECOND) {
    const nearer: number[] = [];
    for (const [n, row] of tile.slice(from, from + HALF_SECOND).entries()) {
      const [mine, theirs] = [own[(from + n) % own.length], other[(from + n) % other.length]];
      if (row && mine && theirs) nearer.push(distance(row, theirs) - distance(row, mine));
    }
    if (nearer.length <= HALF_SECOND / 2) continue;
    compared++;
    if (nearer.reduce((sum, one) => sum + one, 0) < 0) swapped++;
  }
  return { swapped, compared };
}

function distance(a: Float32Array, b: Float32Array): number {
  return Math.hypot(...a.map((value, i) => value - (b[i] ?? 0)));
}
