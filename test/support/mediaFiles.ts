import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { findFfmpeg, type FfmpegBinary } from '../../adapters/media/ffmpeg/findFfmpeg.ts';

/** Every ffmpeg of this machine that can be told apart: the one of the system, when there is one, and the installed one. */
export function ffmpegBinaries(): FfmpegBinary[] {
  const installed = findFfmpeg({});
  const found = findFfmpeg({ PATH: process.env['PATH'] });
  return found.path === installed.path ? [installed] : [found, installed];
}

/** A temporary folder of media made on the spot. */
export type MediaFolder = {
  /** Runs ffmpeg (the installed one) with `args`, which write `name`; returns the path. */
  make(name: string, args: readonly string[]): string;
  write(name: string, content: Uint8Array | string): string;
  /** The first `share` of the bytes of `path`, as a new file. */
  truncate(path: string, share: number, name: string): string;
  remove(): void;
};

/** Makes a new {@link MediaFolder}; call `remove` in `afterAll`. */
export function createMediaFolder(): MediaFolder {
  const folder = mkdtempSync(join(tmpdir(), 'undertone-media-'));
  const encoder = findFfmpeg({}).path;
  const write = (name: string, content: Uint8Array | string): string => {
    const path = join(folder, name);
    writeFileSync(path, content);
    return path;
  };
  return {
    make: (name, args) => {
      const path = join(folder, name);
      execFileSync(encoder, ['-nostdin', '-v', 'error', ...args, '-y', `file:${path}`], { stdio: 'pipe' });
      return path;
    },
    write,
    truncate: (path, share, name) => {
      const bytes = readFileSync(path);
      return write(name, bytes.subarray(0, Math.floor(bytes.length * share)));
    },
    remove: () => {
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** ffmpeg arguments for `seconds` of a 440 Hz tone. */
export function tone(seconds: number, rateHz = 44_100): string[] {
  return ['-f', 'lavfi', '-i', `sine=frequency=440:sample_rate=${rateHz}:duration=${seconds}`];
}

/** ffmpeg arguments for `seconds` of a moving test picture. */
export function picture(seconds: number, size = '64x48'): string[] {
  return ['-f', 'lavfi', '-i', `testsrc=size=${size}:rate=10:duration=${seconds}`];
}

/** A 16-bit WAV file of `channels`, which have the same length; `declaredBytes` replaces the size in the header. */
export function toWav(channels: readonly Float32Array[], rateHz: number, declaredBytes?: number): Uint8Array {
  const frames = channels[0]?.length ?? 0;
  const sizeBytes = frames * channels.length * 2;
  const view = new DataView(new ArrayBuffer(44 + sizeBytes));
  const text = (at: number, value: string): void => {
    [...value].forEach((letter, index) => view.setUint8(at + index, letter.charCodeAt(0)));
  };
  text(0, 'RIFF');
  view.setUint32(4, Math.min(0xffff_ffff, 36 + (declaredBytes ?? sizeBytes)), true);
  text(8, 'WAVEfmt ');
  view.setUint32(16, 16, true);
  view.setUint16(20, 1, true);
  view.setUint16(22, channels.length, true);
  view.setUint32(24, rateHz, true);
  view.setUint32(28, rateHz * channels.length * 2, true);
  view.setUint16(32, channels.length * 2, true);
  view.setUint16(34, 16, true);
  text(36, 'data');
  view.setUint32(40, declaredBytes ?? sizeBytes, true);
  for (let frame = 0; frame < frames; frame += 1) {
    for (const [channel, samples] of channels.entries()) {
      const value = Math.max(-1, Math.min(1, samples[frame] ?? 0));
      view.setInt16(44 + (frame * channels.length + channel) * 2, Math.round(value * 32_767), true);
    }
  }
  return new Uint8Array(view.buffer);
}

/** `seconds` of one value, at 16 kHz unless told. */
export function level(value: number, seconds: number, rateHz = 16_000): Float32Array {
  return new Float32Array(Math.round(seconds * rateHz)).fill(value);
}

/** `seconds` of a sine at 16 kHz unless told, of peak `amplitude`. */
export function sine(frequencyHz: number, seconds: number, amplitude = 0.5, rateHz = 16_000): Float32Array {
  return level(0, seconds, rateHz).map(
    (_, index) => amplitude * Math.sin((2 * Math.PI * frequencyHz * index) / rateHz),
  );
}

/** Root mean square of part of a signal. */
export function rms(samples: Float32Array): number {
  return Math.sqrt(samples.reduce((sum, sample) => sum + sample * sample, 0) / Math.max(1, samples.length));
}
