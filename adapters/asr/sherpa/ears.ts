import type { SherpaModel, SherpaResult } from './messages.ts';
import {
  type NativeOffline,
  type NativeOnline,
  type NativeResult,
  SAMPLE_RATE_HZ,
  type SherpaPackage,
} from './native.ts';

/** Hears one stream. What it makes of it is told with the sound that it is about, when it is final. */
export type Ear = {
  hear(samples: Float32Array): void;
  /** Makes everything heard so far final. */
  finish(): void;
};
type Tell = (result: Omit<SherpaResult, 'speaker'>, speech: Float32Array) => void;

/** Creates the ears of streams, which share the model and nothing else. */
export type CreateEar = (tell: Tell) => Ear;

/** Silence after the end, so that the model's last chunk is complete. */
const TAIL = new Float32Array(SAMPLE_RATE_HZ / 2);
/** The most speech without an end: longer speech is cut where it is softest in its last part. */
const MAX_PIECE_SAMPLES = 25 * SAMPLE_RATE_HZ;
const CUT_WINDOW_SAMPLES = 5 * SAMPLE_RATE_HZ;
const CUT_STEP_SAMPLES = SAMPLE_RATE_HZ / 10;
/** Less sound than this holds no word; models make words up of it. */
const MIN_PIECE_SAMPLES = SAMPLE_RATE_HZ / 10;
const NONE = new Float32Array(0);

/** Loads a model. @throws when the library refuses it (or ends the process) */
export function loadModel(sherpa: SherpaPackage, { kind, files, tokens, threads }: SherpaModel): CreateEar {
  const featConfig = { sampleRate: SAMPLE_RATE_HZ, featureDim: 80 };
  const common = { tokens, numThreads: threads, provider: 'cpu', debug: 0 };
  if (kind !== 'streaming') {
    const parts =
      kind === 'transducer' || kind === 'whisper' || kind === 'moonshine' ? files : { model: files['model'] };
    const modelConfig = { [kind]: parts, ...common };
    return withOffline(new sherpa.OfflineRecognizer({ featConfig, modelConfig }));
  }
  const recognizer = new sherpa.OnlineRecognizer({
    featConfig,
    modelConfig: { transducer: files, ...common },
    decodingMethod: 'greedy_search',
    enableEndpoint: 1,
    rule1MinTrailingSilence: 2.4,
    rule2MinTrailingSilence: 0.6,
    rule3MinUtteranceLength: 20,
  });
  return withStreaming(recognizer);
}

/** Ears that say what they hear while they hear it, and end an utterance after 0.6 s of silence or 20 s. */
function withStreaming(recognizer: NativeOnline): CreateEar {
  return (tell) => {
    const sound = createPiece();
    let native = recognizer.createStream();
    /** Where the native stream began. */
    let offsetMs = 0;
    let told = 0;
    const say = (isFinal: boolean): void => {
      const result = recognizer.getResult(native);
      if (result.tokens.length === 0 || (!isFinal && result.tokens.length === told)) return;
      told = result.tokens.length;
      tell({ ...toResult(result, offsetMs), offsetMs, givenMs: sound.endMs(), isFinal }, isFinal ? sound.all() : NONE);
    };
    return {
      hear: (samples) => {
        sound.add(samples);
        native.acceptWaveform({ samples, sampleRate: SAMPLE_RATE_HZ });
        while (recognizer.isReady(native)) {
          recognizer.decode(native);
          if (!recognizer.isEndpoint(native)) continue;
          say(true);
          recognizer.reset(native);
          sound.take(sound.all().length);
          told = 0;
        }
        say(false);
      },
      finish: () => {
        native.acceptWaveform({ samples: TAIL, sampleRate: SAMPLE_RATE_HZ });
        native.inputFinished();
        while (recognizer.isReady(native)) recognizer.decode(native);
        say(true);
        // The tail is no sound of the stream: its clock goes on in a new one.
        native = recognizer.createStream();
        sound.take(sound.all().length);
        offsetMs = sound.endMs();
        told = 0;
      },
    };
  };
}

/** Ears that wait for the end of speech, which whoever gives the sound tells by `finish`, or for 25 s. */
function withOffline(recognizer: NativeOffline): CreateEar {
  return (tell) => {
    const sound = createPiece();
    const recognize = (samples: Float32Array): void => {
      const offsetMs = sound.startMs();
      sound.take(samples.length);
      if (samples.length < MIN_PIECE_SAMPLES) return;
      const stream = recognizer.createStream();
      stream.acceptWaveform({ samples, sampleRate: SAMPLE_RATE_HZ });
      recognizer.decode(stream);
      const result = toResult(recognizer.getResult(stream), offsetMs);
      const givenMs = offsetMs + (samples.length / SAMPLE_RATE_HZ) * 1_000;
      if (result.text.trim() !== '') tell({ ...result, offsetMs, givenMs, isFinal: true }, samples);
    };
    return {
      hear: (samples) => {
        sound.add(samples);
        while (sound.all().length >= MAX_PIECE_SAMPLES) recognize(sound.all().slice(0, softest(sound.all())));
      },
      finish: () => recognize(sound.all()),
    };
  };
}

/** The sound that nothing final has been said about, at most 30 s, and its place on the stream's clock. */
type Piece = {
  add(samples: Float32Array): void;
  all(): Float32Array;
  take(samples: number): void;
  startMs(): number;
  endMs(): number;
};

const MAX_KEPT_SAMPLES = 30 * SAMPLE_RATE_HZ;

function createPiece(): Piece {
  let kept = NONE;
  let before = 0;
  const toMs = (samples: number): number => (samples / SAMPLE_RATE_HZ) * 1_000;
  const take = (samples: number): void => {
    before += samples;
    kept = kept.slice(samples);
  };
  return {
    add: (samples) => {
      const all = new Float32Array(kept.length + samples.length);
      all.set(kept);
      all.set(samples, kept.length);
      kept = all;
      if (kept.length > MAX_KEPT_SAMPLES) take(kept.length - MAX_KEPT_SAMPLES);
    },
    all: () => kept,
    take,
    startMs: () => toMs(before),
    endMs: () => toMs(before + kept.length),
  };
}

/** The middle of the softest tenth of a second in the last part of a piece that is too long. */
function softest(samples: Float32Array): number {
  let best = { at: MAX_PIECE_SAMPLES, power: Infinity };
  for (let at = MAX_PIECE_SAMPLES - CUT_WINDOW_SAMPLES; at < MAX_PIECE_SAMPLES; at += CUT_STEP_SAMPLES) {
    const power = samples.subarray(at, at + CUT_STEP_SAMPLES).reduce((sum, sample) => sum + sample * sample, 0);
    if (power <= best.power) best = { at: at + CUT_STEP_SAMPLES / 2, power };
  }
  return Math.min(best.at, MAX_PIECE_SAMPLES);
}

function toResult(
  { text, tokens, timestamps = [], ys_probs: logs = [], start_time: startS = 0 }: NativeResult,
  offsetMs: number,
): Pick<SherpaResult, 'text' | 'tokens'> {
  const hasTimes = tokens.length > 0 && timestamps.length === tokens.length;
  const timed = tokens.map((token, index) => {
    const logP = logs[index];
    const atMs = offsetMs + ((timestamps[index] ?? 0) + startS) * 1_000;
    return { text: token, atMs, ...(logP !== undefined && { logP }) };
  });
  return { text: text ?? tokens.join(''), tokens: hasTimes ? timed : [] };
}
