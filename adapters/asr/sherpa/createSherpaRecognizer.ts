import type { Recognizer, RecognizerCapabilities } from '../../../src/adapter.ts';
import { findModel } from './findModel.ts';
import type { SherpaModel, SherpaReply, SherpaRequest } from './messages.ts';
import { type OpenStream, openStream } from './openStream.ts';
import { type SherpaProcess, startProcess } from './startProcess.ts';

/** How sherpa-onnx is used. `languages`: what the model knows, as BCP 47 tags; English unless told. */
export type SherpaOptions = {
  readonly modelFolder: string;
  readonly languages?: readonly string[];
  /** Threads of the model's mathematics, 1 to 64; 1 by default. All streams share one process. */
  readonly threads?: number;
};

/** Streams that one process is given; it works on one after the other. */
const MAX_STREAMS = 64;

/**
 * Returns a recognizer that runs a model of sherpa-onnx in a process of its own, so that what ends the library ends
 * nothing else: its streams fail, and the next `open` starts another process. Requests are answered in order of arrival, so
 * streams share the process fairly. `close` ends it.
 * @throws RangeError for `threads`; UndertoneError RECOGNIZER_MISSING when the package sherpa-onnx-node or a file of the model
 *   is not there, or damaged.
 */
export async function createSherpaRecognizer(options: SherpaOptions): Promise<Recognizer> {
  const { modelFolder, languages = ['en'], threads = 1 } = options;
  if (!Number.isInteger(threads) || threads < 1 || threads > 64)
    throw new RangeError(`threads must be an integer from 1 to 64, not ${threads}`);
  const model = await findModel(modelFolder, threads);
  const live = new Map<number, OpenStream>();
  const host = await startHost(model, live);
  let lastId = 0;
  let isClosed = false;
  const requireOpen = (): void => {
    if (isClosed) throw new TypeError('open: the recognizer is closed');
  };
  return {
    name: 'sherpa',
    capabilities: toCapabilities(model, languages),
    open: async (streamOptions) => {
      requireOpen();
      const process = await host.ready();
      if (isClosed) await process.stop();
      requireOpen();
      const id = (lastId += 1);
      const post = (request: SherpaRequest): void => process.post(request);
      const stream = openStream({ ...streamOptions, id, post, onClosed: () => void live.delete(id) });
      live.set(id, stream);
      return stream;
    },
    close: async () => {
      isClosed = true;
      for (const stream of [...live.values()]) stream.close();
      await host.stop();
    },
  };
}

type Host = {
  /** The process that runs; another when it has ended. */
  ready(): Promise<SherpaProcess>;
  stop(): Promise<void>;
};

/** Starts a process for the streams that are `live`, which hear what it says, and fail when it ends. */
async function startHost(model: SherpaModel, live: Map<number, OpenStream>): Promise<Host> {
  const hear = (reply: SherpaReply): void => {
    if ('id' in reply) live.get(reply.id)?.hear(reply);
  };
  const died = (): void => {
    const lost = [...live.values()];
    live.clear();
    for (const stream of lost) stream.fail('the process of sherpa ended');
  };
  const start = (): Promise<SherpaProcess> => startProcess(model, { hear, died });
  let running = await start();
  let starting: Promise<SherpaProcess> | undefined;
  return {
    ready: async () => {
      if (!running.hasEnded) return running;
      starting ??= start().finally(() => (starting = undefined));
      running = await starting;
      return running;
    },
    stop: () => running.stop(),
  };
}

/** Kinds that tell no times of words. */
const WITHOUT_TIMES: ReadonlySet<SherpaModel['kind']> = new Set(['whisper', 'moonshine']);

function toCapabilities({ kind, embedding }: SherpaModel, languages: readonly string[]): RecognizerCapabilities {
  return {
    interim: kind === 'streaming',
    wordTimes: !WITHOUT_TIMES.has(kind),
    diarization: embedding !== undefined,
    languages,
    sampleRatesHz: [16_000, 24_000, 32_000, 44_100, 48_000],
    isLocal: true,
    quality: 'production',
    maxStreams: MAX_STREAMS,
  };
}
