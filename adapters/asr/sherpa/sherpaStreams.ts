import type { SherpaModel, SherpaReply, SherpaRequest } from './messages.ts';

/** What concerns one stream. */
export type StreamRequest = Exclude<SherpaRequest, { type: 'stop' }>;

type NativeStream = {
  acceptWaveform(sound: { samples: Float32Array; sampleRate: number }): void;
  inputFinished(): void;
};
type NativeResult = {
  readonly tokens: string[];
  readonly timestamps: number[];
  readonly ys_probs: number[];
  readonly start_time: number;
};
/** What of sherpa-onnx-node's OnlineRecognizer is used. */
export type NativeRecognizer = {
  createStream(): NativeStream;
  isReady(stream: NativeStream): boolean;
  decode(stream: NativeStream): void;
  isEndpoint(stream: NativeStream): boolean;
  reset(stream: NativeStream): void;
  getResult(stream: NativeStream): NativeResult;
};
type Stream = { native: NativeStream; offsetMs: number; givenMs: number; tokens: number };

const SAMPLE_RATE_HZ = 16_000;
/** Silence after the end, so that the model's last chunk is complete. */
const TAIL = new Float32Array(SAMPLE_RATE_HZ / 2);

/** The configuration of a recognizer that ends an utterance after 0.6 s of silence, or 20 s. */
export function toNativeConfig({ threads, tokens, ...transducer }: SherpaModel): object {
  return {
    featConfig: { sampleRate: SAMPLE_RATE_HZ, featureDim: 80 },
    modelConfig: { transducer, tokens, numThreads: threads, provider: 'cpu', debug: 0 },
    decodingMethod: 'greedy_search',
    enableEndpoint: 1,
    rule1MinTrailingSilence: 2.4,
    rule2MinTrailingSilence: 0.6,
    rule3MinUtteranceLength: 20,
  };
}

/** Answers requests with one recognizer, each at once and in order. Streams share the model and nothing else. */
export function createSherpaStreams(
  recognizer: NativeRecognizer,
  reply: (message: SherpaReply) => void,
): (request: StreamRequest) => void {
  const streams = new Map<number, Stream>();
  const tell = (id: number, stream: Stream, isFinal: boolean): void => {
    const { tokens, timestamps, ys_probs: logs, start_time: startS } = recognizer.getResult(stream.native);
    if (tokens.length === 0 || (!isFinal && tokens.length === stream.tokens)) return;
    stream.tokens = tokens.length;
    const timed = tokens.map((text, index) => ({
      text,
      atMs: stream.offsetMs + ((timestamps[index] ?? 0) + startS) * 1_000,
      logP: logs[index] ?? 0,
    }));
    reply({
      type: 'result',
      id,
      result: { offsetMs: stream.offsetMs, tokens: timed, givenMs: stream.givenMs, isFinal },
    });
  };
  const decode = (id: number, stream: Stream): void => {
    while (recognizer.isReady(stream.native)) {
      recognizer.decode(stream.native);
      if (!recognizer.isEndpoint(stream.native)) continue;
      tell(id, stream, true);
      recognizer.reset(stream.native);
      stream.tokens = 0;
    }
    tell(id, stream, false);
  };
  const finish = (id: number, stream: Stream): void => {
    stream.native.acceptWaveform({ samples: TAIL, sampleRate: SAMPLE_RATE_HZ });
    stream.native.inputFinished();
    while (recognizer.isReady(stream.native)) recognizer.decode(stream.native);
    tell(id, stream, true);
  };
  return (request) => {
    const { id } = request;
    const stream = streams.get(id);
    if (request.type === 'open') {
      streams.set(id, { native: recognizer.createStream(), offsetMs: 0, givenMs: 0, tokens: 0 });
    } else if (stream === undefined) return;
    else if (request.type === 'write') {
      stream.native.acceptWaveform({ samples: request.samples, sampleRate: SAMPLE_RATE_HZ });
      stream.givenMs += request.samples.length / 16;
      decode(id, stream);
      reply({ type: 'written', id });
    } else if (request.type === 'finalize') {
      finish(id, stream);
      // The tail is no sound of the stream: its clock goes on in a new one.
      streams.set(id, {
        native: recognizer.createStream(),
        offsetMs: stream.givenMs,
        givenMs: stream.givenMs,
        tokens: 0,
      });
    } else {
      if (request.type === 'end') finish(id, stream);
      streams.delete(id);
      if (request.type === 'end') reply({ type: 'ended', id });
    }
  };
}
