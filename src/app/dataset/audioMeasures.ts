import { createProsodyMeter, PROSODY_COLUMNS } from '../../features/audio/prosody.ts';
import { createSegmentMeter, SEGMENT_COLUMNS } from '../../features/audio/segments.ts';
import { SAMPLE_RATE_HZ } from '../../operators/audioRing.ts';

/** The features that this build extracts from sound, by name in a dataset, with the width of their rows. */
export const EXTRACTED_FEATURES: readonly {
  readonly name: 'prosody8' | 'segments';
  readonly kind: 'vector' | 'sequence';
  readonly columns: readonly string[];
}[] = [
  { name: 'prosody8', kind: 'vector', columns: PROSODY_COLUMNS },
  { name: 'segments', kind: 'sequence', columns: SEGMENT_COLUMNS },
];

/** What is measured of an utterance; `prosody8` is undefined and `segments` empty where there is too little sound. */
export type AudioMeasures = { readonly prosody8: Float32Array | undefined; readonly segments: Float32Array };

/** Returns a function that measures 16 kHz mono sound exactly as a live session does. */
export function createAudioMeasurer(): (samples: Float32Array) => AudioMeasures {
  const prosody = createProsodyMeter(SAMPLE_RATE_HZ);
  const segments = createSegmentMeter(SAMPLE_RATE_HZ);
  return (samples) => ({ prosody8: prosody(samples), segments: segments(samples).data });
}
