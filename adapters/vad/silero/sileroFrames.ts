/** Samples of one frame at 16 kHz: 32 ms. */
export const FRAME_SAMPLES = 512;
/** Samples of the frame before that the model wants to see again. */
export const CONTEXT_SAMPLES = 64;
/** What the model is given: context, then frame. */
export const INPUT_SAMPLES: number = CONTEXT_SAMPLES + FRAME_SAMPLES;

/** Cuts one stream into frames, holding over what does not fill one (at most 511 samples). */
export type SileroFrames = {
  /** The inputs completed by `samples`, in order, each with its context. Copies: `samples` is free afterwards. */
  readonly push: (samples: Float32Array) => readonly Float32Array[];
};

/** Creates the framing of one stream, whose first frame has silence for context. NaN and infinite samples become 0. */
export function createSileroFrames(): SileroFrames {
  let input = new Float32Array(INPUT_SAMPLES);
  let filled = CONTEXT_SAMPLES;
  const push = (samples: Float32Array): readonly Float32Array[] => {
    const complete: Float32Array[] = [];
    for (let index = 0; index < samples.length; index += 1) {
      const sample = samples[index] ?? 0;
      input[filled] = sample >= -1 && sample <= 1 ? sample : toSafeSample(sample);
      filled += 1;
      if (filled < INPUT_SAMPLES) continue;
      complete.push(input);
      const next = new Float32Array(INPUT_SAMPLES);
      next.set(input.subarray(FRAME_SAMPLES));
      input = next;
      filled = CONTEXT_SAMPLES;
    }
    return complete;
  };
  return { push };
}

/** One wild number would stay in the recurrent state of the stream for good. */
function toSafeSample(sample: number): number {
  return Number.isFinite(sample) ? Math.max(-1, Math.min(1, sample)) : 0;
}
