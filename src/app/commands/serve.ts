import { readFile } from 'node:fs/promises';
import { DEFAULT_SERVER_CONFIG, parseServerConfig, type ServerConfig } from '../../config.ts';
import { UndertoneError } from '../../errors.ts';
import { createEmotionModel } from '../../model/conversation.ts';
import { assertSafeHost } from '../../server/access.ts';
import { type LiveServer, startLiveServer } from '../../server/liveServer.ts';
import type { Page } from '../../server/page.ts';
import { ADAPTERS } from '../adapters.ts';
import { openLooking, type OpenLooking } from '../models/openLooking.ts';
import { packageVersion } from '../packageRoot.ts';
import { createLiveAnalysis, type LiveAnalysis } from '../serve/analyzeLive.ts';
import { openPage } from '../serve/openPage.ts';
import { openSpeech } from '../serve/openSpeech.ts';
import { startTensorBackend } from '../tensorBackend.ts';
import { EXIT, type Terminal } from '../terminal.ts';
import { loadWeights } from '../weights.ts';

/** What `undertone serve` was asked for. */
export type ServeCommand = {
  readonly host: string;
  readonly port: number;
  readonly config?: string | undefined;
  readonly weights?: string | undefined;
  /** Speech recognizers, instead of those of the configuration. */
  readonly asr?: readonly string[] | undefined;
  /** Whether the pictures of video streams are looked at; what the configuration says unless given. */
  readonly vision?: 'on' | 'off' | undefined;
};

/** How long sessions may go on after the first signal to end. */
const DRAIN_MS = 10_000;
/** Voice activity of many streams is found together; each waits so long for others at most. */
const GATHER_MS = 10;

/**
 * Serves live sessions until a signal comes; then tells everybody to go, and ends when they went or 10 s later. A second
 * signal ends the process at once.
 * @throws UndertoneError BAD_CONFIG, FILE_NOT_FOUND, BAD_WEIGHTS, VAD_MISSING, NO_BACKEND, BAD_OPTION (address in use),
 *   RECOGNIZER_MISSING, RECOGNIZER_FAILED
 */
export async function runServe(command: ServeCommand, terminal: Terminal): Promise<number> {
  const config = command.config === undefined ? DEFAULT_SERVER_CONFIG : await readConfig(command.config);
  assertSafeHost(config, command.host);
  const speech = await openSpeech(config, command.asr, terminal);
  const vision = await lookAtPictures(command.vision ?? config.vision, config, terminal.env);
  for (const notice of vision.notices) terminal.err.write(`${notice}\n`);
  const page = await openPage(config, terminal.env);
  const server = await startServer(config, command, { transcription: speech, looking: vision.looking, page });
  announce(server, page !== undefined, terminal);
  await new Promise<void>((resolve) => {
    if (terminal.stop.aborted) resolve();
    terminal.stop.addEventListener('abort', () => resolve(), { once: true });
  });
  await server.drain(DRAIN_MS);
  await Promise.all(speech?.recognizers.map((recognizer) => recognizer.close()) ?? []);
  await vision.close();
  return EXIT.done;
}

function announce({ url, access }: LiveServer, hasPage: boolean, { err }: Terminal): void {
  err.write(`listening on ${url} (producers: /v1/stream, consumers: /v1/feed)\n`);
  if (!access.isOpen) return;
  err.write('no keys are configured: anybody on this machine may connect; "undertone keys create" makes a key\n');
  if (hasPage) err.write(`a page to try it with: ${url.replace(/^ws/, 'http')}/\n`);
}

/** Opens whoever looks at pictures, if anybody should. */
async function lookAtPictures(
  vision: 'on' | 'off',
  { policy }: ServerConfig,
  env: Terminal['env'],
): Promise<OpenLooking> {
  if (vision === 'off') return { notices: [], close: async () => undefined };
  return openLooking(policy.privacy, env);
}

async function startServer(
  config: ServerConfig,
  { host, port, weights: path }: ServeCommand,
  { page, ...more }: Pick<LiveAnalysis, 'transcription' | 'looking'> & { readonly page: Page | undefined },
): Promise<LiveServer> {
  const [backend, weights, vad] = await Promise.all([
    startTensorBackend('auto'),
    loadWeights(path),
    ADAPTERS.vad(GATHER_MS),
  ]);
  const model = createEmotionModel(weights);
  const { privacy } = config.policy;
  const names = { weights: weights.provenance.name, backend: backend.name };
  const analyze = createLiveAnalysis({ vad, model, ...names, privacy, ...more });
  const tls = config.tls && { cert: await readPem(config.tls.cert), key: await readPem(config.tls.key) };
  const deps = { analyze, createOpus: ADAPTERS.opus, now: () => performance.now(), version: packageVersion() };
  try {
    return await startLiveServer(config, { ...deps, ...(tls && { tls }), ...(page && { page }) }, { host, port });
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
