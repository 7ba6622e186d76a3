import { createHash } from 'node:crypto';
import { createAudioMeasurer } from './audioMeasures.ts';
import type { MediaFile } from './mediaFiles.ts';

/** Raised when extraction changes in a way that the sound below does not show. */
const VERSION = 1;

/**
 * Returns what identifies an extraction: 32 hex digits over what the extractors make of a fixed sound (so every change of
 * theirs shows), and over the paths, sizes, times of change and cuts of all files. Not over the folder, labels or texts.
 */
export function extractionFingerprint(files: readonly MediaFile[]): string {
  const hash = createHash('sha256').update(`undertone extraction ${VERSION}\n`);
  const { prosody8, segments } = createAudioMeasurer()(probeSound());
  for (const values of [prosody8 ?? new Float32Array(0), segments])
    hash.update(new Uint8Array(values.buffer, values.byteOffset, values.byteLength));
  for (const { path, sizeBytes, changedMs, cuts, whole } of files)
    hash.update(`${JSON.stringify([path, sizeBytes, changedMs, cuts, whole])}\n`);
  return hash.digest('hex').slice(0, 32);
}

/** A second and a half of what the extractors look for: a voice that glides, breaks off, and comes back as noise. */
function probeSound(): Float32Array {
  let noise = 1;
  let phase = 0;
  return Float32Array.from({ length: 24_000 }, (_, i) => {
    noise = (Math.imul(noise, 1_103_515_245) + 12_345) & 0x7fff_ffff;
    phase += (140 + i / 300) / 16_000;
    const hiss = noise / 0x4000_0000 - 1;
    if (i > 9_000 && i < 12_000) return 0.001 * hiss;
    return i > 20_000 ? 0.2 * hiss : 0.6 * (phase % 1) ** 3 + 0.01 * hiss;
  });
}
