import type { Sighting, VisionModality } from '../../../../src/adapter.ts';
import { createLandmarkSource } from '../../../../src/client/browser/vision/createLandmarkSource.ts';
import { startWebThread, type WebThread } from '../../../../src/client/browser/vision/startWebThread.ts';
import type { AssetUrls } from '../../../../src/client/browser/vision/timedImage.ts';
import type {
  LandmarkModality,
  LandmarkSighting,
  LandmarkSource,
} from '../../../../src/client/browser/landmarkSource.ts';

/** A sighting as it crosses to the test: rows as plain numbers. */
export type PlainSighting = {
  readonly modality: VisionModality;
  readonly atMs: number;
  readonly row?: readonly number[];
  readonly reason?: string;
};
/** Pixels that the site gives: `width × height` of RGBA at `url`. */
export type ServedPicture = {
  readonly url: string;
  readonly width: number;
  readonly height: number;
  readonly atMs: number;
};
/** What happened to a source in this page. */
export type SourceLog = { readonly sightings: PlainSighting[]; readonly faults: string[] };

/** What a source is made with, and what it looks at; the worker is the real one unless told. */
export type SourceRequest = {
  readonly modalities: readonly LandmarkModality[];
  readonly urls: AssetUrls;
  readonly pictures: readonly ServedPicture[];
  readonly workerUrl?: string;
  /** Play the track in a video element, as browsers must that cannot read frames of a track. */
  readonly isPlayed?: boolean;
};

const WORKER = '/visionWorker.js';
/** Bytes of the largest thing that a worker has told the page. */
let largestAnswerBytes = 0;
let prepared: { readonly atMs: number; readonly pixels: ImageData }[] = [];
let thread: WebThread | undefined;
let source: LandmarkSource | undefined;
let log: SourceLog = { sightings: [], faults: [] };
let logged: () => void = () => undefined;

/** What tests call in the page, by `visionPage.…`. */
const visionPage = {
  /** Starts the worker for itself, without a track. */
  open: async (modalities: readonly VisionModality[], urls: AssetUrls): Promise<void> => {
    thread = startWebThread(WORKER);
    await thread.open(0, modalities, urls);
  },
  /** Looks at pictures exactly as they are. */
  examine: async (pictures: readonly ServedPicture[]): Promise<PlainSighting[]> => {
    const seen: PlainSighting[] = [];
    for (const picture of pictures) seen.push(...(await look(picture.atMs, await toBitmap(picture))));
    return seen;
  },
  /** Looks at a recorded file as its video element shows it at the times given, in ms. */
  examineVideo: async (url: string, timesMs: readonly number[]): Promise<PlainSighting[]> => {
    const video = await loadVideo(url);
    const seen: PlainSighting[] = [];
    for (const atMs of timesMs) {
      await seek(video, atMs);
      seen.push(...(await look(atMs, await createImageBitmap(video))));
    }
    return seen;
  },
  /** Fetches pictures for `lookAtPrepared`. */
  prepare: async (pictures: readonly ServedPicture[]): Promise<void> => {
    prepared = [];
    for (const picture of pictures) prepared.push({ atMs: picture.atMs, pixels: await toPixels(picture) });
  },
  /** Median ms of a look, with the way to the worker and back. */
  lookAtPrepared: async (): Promise<number> => {
    const tookMs: number[] = [];
    for (const { atMs, pixels } of prepared) {
      const beganMs = performance.now();
      await look(atMs, await createImageBitmap(pixels));
      tookMs.push(performance.now() - beganMs);
    }
    return tookMs.sort((one, other) => one - other)[Math.floor(tookMs.length / 2)] ?? NaN;
  },
  end: async (): Promise<void> => thread?.end(),

  /** What becomes of a worker that says nothing for `hangMs`. */
  openSilent: async (workerUrl: string, hangMs: number): Promise<string> => {
    const silent = startWebThread(workerUrl, hangMs);
    const failure = await silent.open(0, ['body'], { wasmUrl: '/' }).then(() => 'opened', messageOf);
    return `${failure}, ${silent.hasEnded ? 'ended' : 'alive'}`;
  },

  /** Makes a source that looks at a canvas on which pictures are shown over and over, one each 40 ms; says how that ended. */
  startSource: async ({ modalities, urls, pictures, workerUrl = WORKER, isPlayed }: SourceRequest): Promise<string> => {
    log = { sightings: [], faults: [] };
    const { wasmUrl, ...models } = urls;
    if (isPlayed) Object.assign(globalThis, { MediaStreamTrackProcessor: undefined });
    try {
      source = await createLandmarkSource({
        modalities,
        assets: { wasmUrl, models, workerUrl },
        onSightings: (sightings) => {
          log.sightings.push(...sightings.map(toPlain));
          logged();
        },
        onFault: ({ code }) => log.faults.push(code),
      });
      source.start(await showOnCanvas(pictures));
      return 'started';
    } catch (error) {
      return codeOf(error);
    }
  },
  /** Starts the source again, on a track of sound. */
  startOnSound: (): string => {
    const [track] = new AudioContext().createMediaStreamDestination().stream.getAudioTracks();
    try {
      if (track) source?.start(track);
      return 'started';
    } catch (error) {
      return codeOf(error);
    }
  },
  log: (): SourceLog => log,
  /** Resolves when that much is in the log. */
  logHas: ({ sightings = 0, rows = 0, faults = 0 }: Readonly<Record<string, number>>): Promise<void> =>
    new Promise((resolve) => {
      logged = () => {
        const seen = log.sightings.filter(({ row }) => row).length;
        if (log.sightings.length >= sightings && seen >= rows && log.faults.length >= faults) resolve();
      };
      logged();
    }),
  now: (): number => performance.now(),
  largestAnswerBytes: (): number => largestAnswerBytes,
  stopSource: (): void => source?.stop(),
  closeSource: (): void => source?.close(),
};
declare global {
  var visionPage: VisionPage;
}
/** What tests call in the page. */
export type VisionPage = typeof visionPage;
globalThis.visionPage = visionPage;

/** Weighs everything that workers tell the page. */
globalThis.Worker = class extends Worker {
  constructor(url: string | URL, options?: WorkerOptions) {
    super(url, options);
    this.addEventListener('message', ({ data }) => {
      largestAnswerBytes = Math.max(largestAnswerBytes, bytesOf(data));
    });
  }
};

/** Bytes of the largest leaf; what could hold a picture weighs without limit. */
function bytesOf(value: unknown): number {
  if (ArrayBuffer.isView(value) || value instanceof ArrayBuffer) return value.byteLength;
  if (typeof value === 'string') return value.length;
  if (typeof value !== 'object' || value === null) return 8;
  if (![Object.prototype, Array.prototype].includes(Object.getPrototypeOf(value) as object)) return Infinity;
  return Math.max(0, ...Object.values(value).map(bytesOf));
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : 'unknown';
}

/** The code of one of ours, else the name of the class. */
function codeOf(error: unknown): string {
  if (error instanceof Error && 'code' in error) return String(error.code);
  return error instanceof Error ? error.name : 'unknown';
}

async function look(atMs: number, image: ImageBitmap): Promise<PlainSighting[]> {
  if (!thread) throw new Error('open first');
  return (await thread.look(0, { atMs, image })).map(toPlain);
}

function toPlain(seen: Sighting | LandmarkSighting): PlainSighting {
  return 'row' in seen ? { ...seen, row: [...seen.row] } : seen;
}

async function toPixels({ url, width, height }: ServedPicture): Promise<ImageData> {
  return new ImageData(new Uint8ClampedArray(await (await fetch(url)).arrayBuffer()), width, height);
}

async function toBitmap(picture: ServedPicture): Promise<ImageBitmap> {
  return createImageBitmap(await toPixels(picture));
}

async function loadVideo(url: string): Promise<HTMLVideoElement> {
  const video = document.createElement('video');
  video.muted = true;
  video.preload = 'auto';
  // A video can be wound only where the server knows ranges, or where it is all there.
  video.src = URL.createObjectURL(await (await fetch(url)).blob());
  await new Promise((resolve, reject) => {
    video.onloadeddata = resolve;
    video.onerror = () => reject(new Error(`the video cannot be played: ${video.error?.message}`));
  });
  return video;
}

/** To the picture that is shown from `atMs` on; another one must be shown before. */
function seek(video: HTMLVideoElement, atMs: number): Promise<void> {
  const shown = new Promise<void>((resolve) => {
    const check: VideoFrameRequestCallback = (_now, { mediaTime }) => {
      if (Math.abs(mediaTime * 1_000 - atMs) < 20) resolve();
      else video.requestVideoFrameCallback(check);
    };
    video.requestVideoFrameCallback(check);
  });
  video.currentTime = (atMs + 20) / 1_000;
  return shown;
}

async function showOnCanvas(pictures: readonly ServedPicture[]): Promise<MediaStreamTrack> {
  const bitmaps = await Promise.all(pictures.map(toBitmap));
  const canvas = document.createElement('canvas');
  Object.assign(canvas, { width: pictures[0]?.width, height: pictures[0]?.height });
  const context = canvas.getContext('2d');
  let next = 0;
  const show = (): void => {
    const bitmap = bitmaps[next++ % bitmaps.length];
    if (bitmap) context?.drawImage(bitmap, 0, 0);
  };
  setInterval(show, 40);
  show();
  const [track] = canvas.captureStream(25).getVideoTracks();
  if (!track) throw new Error('a canvas has a track');
  return track;
}
