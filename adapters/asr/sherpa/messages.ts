/** What the recognizer's thread is told. Samples are its own from then on. */
export type SherpaRequest =
  | { readonly type: 'stop' }
  | { readonly type: 'open' | 'finalize' | 'end' | 'close'; readonly id: number }
  | { readonly type: 'write'; readonly id: number; readonly samples: Float32Array };

/** What a stream's model makes of the sound so far. Times in ms of the stream's clock; `p` is a natural logarithm. */
export type SherpaResult = {
  readonly offsetMs: number;
  readonly tokens: readonly { readonly text: string; readonly atMs: number; readonly logP: number }[];
  /** How much sound the stream was given. */
  readonly givenMs: number;
  readonly isFinal: boolean;
};

/** What the thread tells. `written` answers each write, `ended` the end. */
export type SherpaReply =
  | { readonly type: 'ready' }
  | { readonly type: 'result'; readonly id: number; readonly result: SherpaResult }
  | { readonly type: 'written' | 'ended'; readonly id: number }
  | { readonly type: 'failed'; readonly id: number | null; readonly isMissing: boolean; readonly reason: string };

/** What the thread loads: files of a streaming transducer. */
export type SherpaModel = {
  readonly encoder: string;
  readonly decoder: string;
  readonly joiner: string;
  readonly tokens: string;
  readonly threads: number;
};
