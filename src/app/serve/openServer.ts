import { readFile } from 'node:fs/promises';
import type { ServerConfig } from '../../config.ts';
import { UndertoneError } from '../../errors.ts';
import { createEmotionModel } from '../../model/conversation.ts';
import { type LiveServer, startLiveServer } from '../../server/liveServer.ts';
import type { Page } from '../../server/page.ts';
import { ADAPTERS } from '../adapters.ts';
import { openLooking, type OpenLooking } from '../models/openLooking.ts';
import { packageVersion } from '../packageRoot.ts';
import { startTensorBackend } from '../tensorBackend.ts';
import type { Terminal } from '../terminal.ts';
import { loadWeights } from '../weights.ts';
import { createLiveAnalysis, type LiveAnalysis } from './analyzeLive.ts';
import { openPage } from './openPage.ts';
import { openSpeech } from './openSpeech.ts';

/** Where a server listens, on the first of `ports` that is free, and what was asked for in place of what the configuration says. */
export type OpenServerOptions = {
  readonly host: string;
  readonly ports: readonly number[];
  readonly weights?: string | undefined;
  /** Speech recognizers. */
  readonly asr?: readonly string[] | undefined;
  /** Whether the pictures of video streams are looked at. */
  readonly vision?: 'on' | 'off' | undefined;
};

/** A server that listens, and how it ends: when everybody went, or 10 s later. */
export type OpenServer = {
  readonly server: LiveServer;
  /** Where browsers of this machine find its page; a server with keys has none. */
  readonly pageUrl?: string;
  readonly end: () => Promise<void>;
};

/** How long sessions may go on once the server should end. */
const DRAIN_MS = 10_000;
/** Voice activity of many streams is found together; each waits so long for others at most. */
const GATHER_MS = 10;

/**
 * Starts a server with all that analyzes for it, and says on the terminal what that is and what is missing.
 * @throws UndertoneError FILE_NOT_FOUND, BAD_WEIGHTS, VAD_MISSING, NO_BACKEND, RECOGNIZER_MISSING, RECOGNIZER_FAILED,
 *   BAD_OPTION (no address to listen on)
 */
export async function openServer(
  config: ServerConfig,
  options: OpenServerOptions,
  terminal: Terminal,
): Promise<OpenServer> {
  const transcription = await openSpeech(config, terminal, { asr: options.asr });
  const vision = await openVision(options.vision ?? config.vision, config, terminal.env);
  for (const notice of vision.notices) terminal.err.write(`${notice}\n`);
  const close = async (): Promise<void> => {
    await Promise.all([...(transcription?.recognizers ?? []), vision].map((part) => part.close()));
  };
  try {
    const page = await openPage(config, terminal.env);
    const server = await startServer(config, options, { transcription, looking: vision.looking, page });
    const end = async (): Promise<void> => {
      await server.drain(DRAIN_MS);
      await close();
    };
    return { server, end, ...(page && { pageUrl: `${server.url.replace(/^ws/, 'http')}/` }) };
  } catch (error) {
    await close();
    throw error;
  }
}

/** Opens whoever looks at pictures, if anybody should. */
async function openVision(vision: 'on' | 'off', { policy }: ServerConfig, env: Terminal['env']): Promise<OpenLooking> {
  if (vision === 'off') return { notices: [], close: async () => undefined };
  return openLooking(policy.privacy, env);
}

async function startServer(
  config: ServerConfig,
  { host, ports, weights: path }: OpenServerOptions,
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
  const can = { vision: more.looking?.modalities, transcribes: more.transcription !== undefined };
  const given = { ...can, ...(tls && { tls }), ...(page && { page }) };
  const deps = {
    analyze,
    ...given,
    createOpus: ADAPTERS.opus,
    now: () => performance.now(),
    version: packageVersion(),
  };
  return listen(ports, host, (port) => startLiveServer(config, deps, { host, port }));
}

/** Listens on the first port that is free. */
async function listen(
  ports: readonly number[],
  host: string,
  start: (port: number) => Promise<LiveServer>,
): Promise<LiveServer> {
  let failure = new UndertoneError('BAD_OPTION', 'no port to listen on');
  for (const port of ports) {
    try {
      return await start(port);
    } catch (cause) {
      const code = cause instanceof Error && 'code' in cause ? String(cause.code) : 'unknown reason';
      failure = new UndertoneError('BAD_OPTION', `cannot listen on ${host}:${port} (${code})`, { cause });
      if (code !== 'EADDRINUSE') break;
    }
  }
  throw failure;
}

async function readPem(path: string): Promise<Buffer> {
  return readFile(path).catch((cause: unknown) => {
    throw new UndertoneError('FILE_NOT_FOUND', `${path} cannot be read`, { cause });
  });
}
