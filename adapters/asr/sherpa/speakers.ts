import { type NativeEmbedding, SAMPLE_RATE_HZ } from './native.ts';

/** Tells whose voice a piece of speech is: S1, S2 … in the order in which they were first heard in the stream. */
export type Speakers = { labelOf(speech: Float32Array): string | undefined };

/** Voices that are more alike than this, by the cosine of their embeddings, are one speaker's [sherpa-onnx's own default]. */
const SAME_VOICE = 0.5;
/** A voice cannot be told by less speech than this. */
const MIN_SPEECH_SAMPLES = SAMPLE_RATE_HZ / 2;
const MAX_SPEAKERS = 64;

type Known = { readonly label: string; readonly sum: Float32Array };

/**
 * Returns the speakers of one stream, of whom none is known. Each piece of speech is taken to be of one speaker: the one whose
 * mean embedding is nearest, or a new one when none is near. Beyond 64 speakers, and for too little speech, there is no label.
 */
export function createSpeakers(extractor: NativeEmbedding): Speakers {
  const known: Known[] = [];
  return {
    labelOf: (speech) => {
      if (speech.length < MIN_SPEECH_SAMPLES) return undefined;
      const voice = toUnit(embed(extractor, speech));
      if (voice === undefined) return undefined;
      let best: { readonly speaker: Known; readonly likeness: number } | undefined;
      for (const speaker of known) {
        const likeness = dot(voice, toUnit(speaker.sum) ?? speaker.sum);
        if (likeness > (best?.likeness ?? SAME_VOICE)) best = { speaker, likeness };
      }
      if (best) {
        const { sum } = best.speaker;
        for (const [index, value] of voice.entries()) sum[index] = (sum[index] ?? 0) + value;
        return best.speaker.label;
      }
      if (known.length >= MAX_SPEAKERS) return undefined;
      const label = `S${known.length + 1}`;
      known.push({ label, sum: voice });
      return label;
    },
  };
}

function embed(extractor: NativeEmbedding, samples: Float32Array): Float32Array {
  const stream = extractor.createStream();
  stream.acceptWaveform({ samples, sampleRate: SAMPLE_RATE_HZ });
  stream.inputFinished();
  return extractor.isReady(stream) ? extractor.compute(stream, false) : new Float32Array(0);
}

/** A vector of length 1; undefined for one without a direction. */
function toUnit(vector: Float32Array): Float32Array | undefined {
  const length = Math.sqrt(dot(vector, vector));
  return Number.isFinite(length) && length > 0 ? vector.map((value) => value / length) : undefined;
}

function dot(a: Float32Array, b: Float32Array): number {
  return a.reduce((sum, value, index) => sum + value * (b[index] ?? 0), 0);
}
