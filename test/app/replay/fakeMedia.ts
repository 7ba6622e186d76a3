import type { MediaContents, MediaReader, VideoFrame, VoiceActivityDetector } from '../../../src/adapter.ts';
import { UndertoneError } from '../../../src/errors.ts';

/** A file that only exists in a test: its sound in ms, its pictures' brightness at 2 a second, where it breaks off. */
export type FakeFile = {
  readonly soundMs?: number;
  readonly channels?: readonly number[];
  readonly pictures?: readonly number[];
  readonly durationMs?: number | null;
  /** Thrown after everything was decoded, or after `afterMs` of the sound. */
  readonly breaks?: { readonly error: Error; readonly afterMs: number };
};

/** A reader of fake files that counts what was decoded and which decoders were left. */
export type FakeReader = MediaReader & { readonly blocks: () => number; readonly closed: () => number };

export function fakeReader(files: Readonly<Record<string, FakeFile>>): FakeReader {
  let blocks = 0;
  let closed = 0;
  const fileOf = (path: string): FakeFile => {
    const file = files[path];
    if (!file) throw new UndertoneError('FILE_NOT_FOUND', `${path}: there is no such file`);
    return file;
  };
  return {
    blocks: () => blocks,
    closed: () => closed,
    probe: async (path) => contentsOf(fileOf(path)),
    decodeAudio: async function* (path) {
      const { soundMs = 0, breaks } = fileOf(path);
      try {
        for (let startMs = 0; startMs < Math.min(soundMs, breaks?.afterMs ?? soundMs); startMs += 100) {
          blocks += 1;
          yield { startMs, samples: new Float32Array(1_600).fill(0.1) };
        }
        if (breaks) throw breaks.error;
      } finally {
        closed += 1;
      }
    },
    decodeVideo: async function* (path) {
      try {
        for (const [index, level] of (fileOf(path).pictures ?? []).entries()) yield pictureOf(index * 500, level);
      } finally {
        closed += 1;
      }
    },
  };
}

function contentsOf({ soundMs, channels, pictures, durationMs }: FakeFile): MediaContents {
  const counts = channels ?? (soundMs === undefined ? [] : [1]);
  return {
    durationMs: durationMs === undefined ? (soundMs ?? 0) : durationMs,
    audio: counts.map((count, index) => ({ index, channels: count, sampleRateHz: 48_000, codec: 'aac' })),
    video: pictures ? [{ index: counts.length, width: 640, height: 360, framesPerSecond: 25 }] : [],
  };
}

/** A grey picture of 32 × 18 pixels, all of one brightness. */
export function pictureOf(atMs: number, level: number, brightPixels: number = 32 * 18): VideoFrame {
  const pixels = new Uint8Array(32 * 18).fill(level, 0, brightPixels);
  return { atMs, width: 32, height: 18, pixels };
}

/** A detector of which it is known how many streams are open. */
export type FakeDetector = VoiceActivityDetector & { readonly streams: () => number };

/** Makes a detector with frames of 50 ms that hears speech everywhere. */
export function fakeDetector(): FakeDetector {
  let streams = 0;
  return {
    name: 'fake',
    streams: () => streams,
    open: () => {
      streams += 1;
      return {
        frameMs: 50,
        process: async (samples: Float32Array) => new Float32Array(samples.length / 800).fill(0.9),
        close: () => {
          streams -= 1;
        },
      };
    },
    close: async () => undefined,
  };
}
