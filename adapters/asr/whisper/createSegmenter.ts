/** A stretch of speech with a little of what is around it. `startMs` is on the stream's clock. */
export type SpeechPiece = { readonly startMs: number; readonly samples: Float32Array };

/** Cuts sound into pieces of speech; keeps at most one piece and its margin. */
export type Segmenter = {
  /** One frame of voice activity and its probability. */
  readonly push: (frame: Float32Array, probability: number) => SpeechPiece | null;
  /** The piece that is open, when it is long enough. */
  readonly flush: () => SpeechPiece | null;
};

/** Rules of cutting, in ms and probabilities: whisper.cpp takes 30 s at most, and makes text up of what is too short. */
export const SEGMENTATION = {
  startProbability: 0.5,
  endProbability: 0.35,
  silenceMs: 480,
  marginMs: 192,
  minSpeechMs: 224,
  maxPieceMs: 25_000,
} as const;

/** Creates the cutting of one stream into pieces, from frames of `frameMs`. */
export function createSegmenter(frameMs: number): Segmenter {
  const marginFrames = Math.ceil(SEGMENTATION.marginMs / frameMs);
  let frames: Float32Array[] = [];
  let firstFrame = 0; // number of frames[0] in the stream
  let speechFrames = 0;
  let silentFrames = 0;

  const close = (dropFrames: number): SpeechPiece | null => {
    const isLong = speechFrames * frameMs >= SEGMENTATION.minSpeechMs;
    const kept = frames.slice(0, Math.max(0, frames.length - dropFrames));
    const piece = isLong ? { startMs: firstFrame * frameMs, samples: join(kept) } : null;
    firstFrame += frames.length;
    frames = [];
    speechFrames = 0;
    silentFrames = 0;
    return piece;
  };
  return {
    push: (frame, probability) => {
      frames.push(frame);
      if (speechFrames === 0 && probability < SEGMENTATION.startProbability) {
        if (frames.length <= marginFrames) return null;
        frames.shift();
        firstFrame += 1;
        return null;
      }
      const isSpeech = probability >= SEGMENTATION.endProbability;
      speechFrames += isSpeech ? 1 : 0;
      silentFrames = isSpeech ? 0 : silentFrames + 1;
      if (silentFrames * frameMs >= SEGMENTATION.silenceMs) return close(Math.max(0, silentFrames - marginFrames));
      return frames.length * frameMs >= SEGMENTATION.maxPieceMs ? close(0) : null;
    },
    flush: () => (speechFrames === 0 ? null : close(Math.max(0, silentFrames - marginFrames))),
  };
}

function join(frames: readonly Float32Array[]): Float32Array {
  const samples = new Float32Array(frames.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const frame of frames) {
    samples.set(frame, at);
    at += frame.length;
  }
  return samples;
}
