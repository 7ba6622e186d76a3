/** A stream of sound in the library. */
export type NativeStream = {
  acceptWaveform(sound: { samples: Float32Array; sampleRate: number }): void;
  inputFinished(): void;
};

/** What a recognizer of the library makes of a stream; times in seconds. Not every model gives all of it. */
export type NativeResult = {
  readonly text?: string;
  readonly tokens: readonly string[];
  readonly timestamps?: readonly number[];
  readonly ys_probs?: readonly number[];
  readonly start_time?: number;
};

/** What of sherpa-onnx-node's OnlineRecognizer is used. */
export type NativeOnline = {
  createStream(): NativeStream;
  isReady(stream: NativeStream): boolean;
  decode(stream: NativeStream): void;
  isEndpoint(stream: NativeStream): boolean;
  reset(stream: NativeStream): void;
  getResult(stream: NativeStream): NativeResult;
};

/** What of its OfflineRecognizer is used. */
export type NativeOffline = Pick<NativeOnline, 'decode' | 'getResult'> & {
  createStream(): Pick<NativeStream, 'acceptWaveform'>;
  decode(stream: Pick<NativeStream, 'acceptWaveform'>): void;
  getResult(stream: Pick<NativeStream, 'acceptWaveform'>): NativeResult;
};

/** What of its SpeakerEmbeddingExtractor is used. */
export type NativeEmbedding = {
  createStream(): NativeStream;
  isReady(stream: NativeStream): boolean;
  compute(stream: NativeStream, isExternal: boolean): Float32Array;
};

/** What of the package is used. */
export type SherpaPackage = {
  readonly OnlineRecognizer: new (config: object) => NativeOnline;
  readonly OfflineRecognizer: new (config: object) => NativeOffline;
  readonly SpeakerEmbeddingExtractor: new (config: object) => NativeEmbedding;
};

/** Sound is given at this rate. */
export const SAMPLE_RATE_HZ = 16_000;
