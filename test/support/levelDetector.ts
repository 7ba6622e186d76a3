import type { VoiceActivityDetector } from '../../src/adapter.ts';

const FRAME = 512;

/** A voice activity detector for tests: a frame of 32 ms is speech when it is louder than -40 dB of full scale. */
export function createLevelDetector(): VoiceActivityDetector & { readonly openStreams: () => number } {
  let count = 0;
  return {
    name: 'level',
    open: () => {
      let held: number[] = [];
      count += 1;
      let isOpen = true;
      return {
        frameMs: 32,
        process: async (samples) => {
          held = [...held, ...samples];
          const probabilities = [];
          for (; held.length >= FRAME; held = held.slice(FRAME)) {
            const power = held.slice(0, FRAME).reduce((sum, sample) => sum + sample * sample, 0) / FRAME;
            probabilities.push(power > 1e-4 ? 0.95 : 0.02);
          }
          return Float32Array.from(probabilities);
        },
        close: () => {
          count -= isOpen ? 1 : 0;
          isOpen = false;
        },
      };
    },
    close: async () => undefined,
    openStreams: () => count,
  };
}
