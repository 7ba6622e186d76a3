import { readFile } from 'node:fs/promises';
import { DEFAULT_SERVER_CONFIG, parseServerConfig, type ServerConfig } from '../../config.ts';
import { UndertoneError } from '../../errors.ts';
import { createEmotionModel } from '../../model/conversation.ts';
import { assertSafeHost } from '../../server/access.ts';
import { type LiveServer, startLiveServer } from '../../server/liveServer.ts';
import { ADAPTERS } from '../adapters.ts';
import { packageVersion } from '../packageRoot.ts';
import { createLiveAnalysis, type LiveTranscription } from '../serve/analyzeLive.ts';
import { startTensorBackend } from '../tensorBackend.ts';
import { EXIT, type Terminal } from '../terminal.ts';
import { openRecognizers } from '../transcribe/openRecognizers.ts';
import { DEFAULT_POOL } from '../transcribe/pool.ts';
import { createSeats } from '../transcribe/seats.ts';
import { loadWeights } from '../weights.ts';

/** What `undertone serve` was asked for. */
export type ServeCommand = {
  readonly host: string;
  readonly port: number;
  readonly config?: string | undefined;
  readonly weights?: string | undefined;
  /** Speech recognizers, instead of those of the configuration. */
  readonly asr?: readonly string[] | undefined;
};

/** How long sessions may go on after the first signal to end. */
const DRAIN_MS = 10_000;

/**
 * Serves live sessions until a signal comes; then tells everybody to go, and ends when they went or 10 s later. A second
 * signal ends the process at once.
 * @throws UndertoneError BAD_CONFIG, FILE_NOT_FOUND, BAD_WEIGHTS, VAD_MISSING, NO_BACKEND, BAD_OPTION (address in use),
 *   RECOGNIZER_MISSING, RECOGNIZER_FAILED
 */
export async function runServe(command: ServeCommand, terminal: Terminal): Promise<number> {
  const config = command.config === undefined ? DEFAULT_SERVER_CONFIG : await readConfig(command.config);
  assertSafeHost(config, command.host);
  const speech = await openSpeech(config, command, terminal);
  const server = await startServer(config, command, speech);
  terminal.err.write(`listening on ${server.url} (producers: /v1/stream, consumers: /v1/feed)\n`);
  if (server.access.isOpen)
    terminal.err.write(
      'no keys are configured: anybody on this machine may connect; "undertone keys create" makes a key\n',
    );
  await new Promise<void>((resolve) => {
    if (terminal.stop.aborted) resolve();
    terminal.stop.addEventListener('abort', () => resolve(), { once: true });
  });
  await server.drain(DRAIN_MS);
  await Promise.all(speech?.recognizers.map((recognizer) => recognizer.close()) ?? []);
  return EXIT.done;
}

/** Opens the recognizers that were asked for, and says which they are. */
async function openSpeech(
  { transcribers, transcribeCaptioned, limits }: ServerConfig,
  { asr }: ServeCommand,
  terminal: Terminal,
): Promise<LiveTranscription | undefined> {
  const names = asr ?? transcribers;
  if (names.length === 0) return undefined;
  const option = asr ? '--asr' : 'transcribers';
  const { recognizers, notices } = await openRecognizers(names, ADAPTERS.recognizers, terminal.env, option);
  for (const notice of notices) terminal.err.write(`${notice}\n`);
  return {
    recognizers,
    captioned: transcribeCaptioned ? 'recognized' : 'left',
    seats: createSeats(),
    pool: { ...DEFAULT_POOL, budgetMs: limits.maxTranscribedMs },
  };
}

async function startServer(
  config: ServerConfig,
  { host, port, weights: path }: ServeCommand,
  transcription: LiveTranscription | undefined,
): Promise<LiveServer> {
  const [backend, weights, vad] = await Promise.all([startTensorBackend('auto'), loadWeights(path), ADAPTERS.vad()]);
  const model = createEmotionModel(weights);
  const { privacy } = config.policy;
  const common = { vad, model, weights: weights.provenance.name, backend: backend.name, privacy };
  const analyze = createLiveAnalysis({ ...common, ...(transcription && { transcription }) });
  const tls = config.tls && { cert: await readPem(config.tls.cert), key: await readPem(config.tls.key) };
  const transcribes = transcription !== undefined;
  const deps = {
    analyze,
    transcribes,
    createOpus: ADAPTERS.opus,
    now: () => performance.now(),
    version: packageVersion(),
  };
  try {
    return await startLiveServer(config, { ...deps, ...(tls && { tls }) }, { host, port });
  } catch (cause) {
    const code = cause instanceof Error && 'code' in cause ? String(cause.code) : 'unknown reason';
    throw new UndertoneError('BAD_OPTION', `cannot listen on ${host}:${port} (${code})`, { cause });
  }
}

async function readConfig(path: string): Promise<ServerConfig> {
  const text = await readFile(path, 'utf8').catch((cause: unknown) => {
    throw new UndertoneError('FILE_NOT_FOUND', `${path}: no such file`, { cause });
  });
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw new UndertoneError('BAD_CONFIG', `${path} is not JSON`, { cause });
  }
  return parseServerConfig(value);
}

async function readPem(path: string): Promise<Buffer> {
  return readFile(path).catch((cause: unknown) => {
    throw new UndertoneError('FILE_NOT_FOUND', `${path} cannot be read`, { cause });
  });
}
