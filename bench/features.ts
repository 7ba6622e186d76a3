import { fileURLToPath } from 'node:url';

import { createProsodyMeter } from '../src/features/audio/prosody.ts';
import { createSegmentMeter } from '../src/features/audio/segments.ts';
import { PROSODY_SIGNALS } from '../fixtures/prosody/signals.ts';

const RATE_HZ = 16_000;
const ROUNDS = 40;
const WARM_UP = 15;

/** CPU milliseconds per second of audio of `work`, which handles `samples` once per call; the best of three series. */
function msPerAudioSecond(samples: Float32Array, work: () => void): number {
  for (let i = 0; i < WARM_UP; i++) work();
  const series = [1, 2, 3].map(() => {
    const start = process.cpuUsage();
    for (let i = 0; i < ROUNDS; i++) work();
    const { user, system } = process.cpuUsage(start);
    return (user + system) / 1000 / ROUNDS / (samples.length / RATE_HZ);
  });
  return Math.min(...series);
}

/** Prints the CPU cost of the audio features, in ms per second of audio, on ten seconds of synthetic speech-like sound. */
export async function benchFeatures(): Promise<void> {
  const signal = PROSODY_SIGNALS.find(({ name }) => name === 'syllables');
  if (signal === undefined) throw new Error('fixtures/prosody has no signal called syllables');
  const piece = signal.make();
  const samples = new Float32Array(10 * RATE_HZ).map((_, i) => piece[i % piece.length] ?? 0);
  const measure = createProsodyMeter(RATE_HZ);
  const toSegments = createSegmentMeter(RATE_HZ);
  const prosody = msPerAudioSecond(samples, () => void measure(samples));
  const segments = msPerAudioSecond(samples, () => void toSegments(samples));
  console.log(
    `features: prosody8 ${prosody.toFixed(2)} ms/s, segments ${segments.toFixed(2)} ms/s, together ${(prosody + segments).toFixed(2)} ms/s`,
  );
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await benchFeatures();
