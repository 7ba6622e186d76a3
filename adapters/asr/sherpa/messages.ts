/** What the recognizer's process is told. */
export type SherpaRequest =
  /** `tellsSpeakers`: whose words they are is to be told, when the process can. */
  | { readonly type: 'open'; readonly id: number; readonly tellsSpeakers: boolean }
  | { readonly type: 'finalize' | 'end' | 'close'; readonly id: number }
  | { readonly type: 'write'; readonly id: number; readonly samples: Float32Array };

/**
 * What a model makes of the sound from `offsetMs` to `givenMs` of the stream's clock. Tokens have times when the model gives
 * them; `logP` is a natural logarithm. `text`: what the tokens say together.
 */
export type SherpaResult = {
  readonly offsetMs: number;
  readonly givenMs: number;
  readonly text: string;
  readonly tokens: readonly { readonly text: string; readonly atMs: number; readonly logP?: number }[];
  readonly isFinal: boolean;
  readonly speaker?: string;
};

/** What the process tells. Each `write` is answered by `written` or `failed`, each `end` by `ended` or `failed`. */
export type SherpaReply =
  | { readonly type: 'ready' }
  | { readonly type: 'missing'; readonly reason: string }
  | { readonly type: 'result'; readonly id: number; readonly result: SherpaResult }
  | { readonly type: 'written' | 'ended'; readonly id: number }
  | { readonly type: 'failed'; readonly id: number; readonly reason: string };

/** The kinds of offline models that are run, by the name of their part of sherpa-onnx's configuration. */
export type OfflineKind =
  'transducer' | 'whisper' | 'moonshine' | 'senseVoice' | 'nemoCtc' | 'zipformerCtc' | 'paraformer' | 'wenetCtc';

/** What the process loads. `files`: by their names in the configuration. `embedding`: a model that tells voices apart. */
export type SherpaModel = {
  readonly kind: 'streaming' | OfflineKind;
  readonly files: Readonly<Record<string, string>>;
  readonly tokens: string;
  readonly threads: number;
  readonly embedding?: string;
};
