import { readFile } from 'node:fs/promises';
import { DEFAULT_SERVER_CONFIG, parseServerConfig, type ServerConfig } from '../../config.ts';
import { UndertoneError } from '../../errors.ts';
import { createEmotionModel } from '../../model/conversation.ts';
import { assertSafeHost } from '../../server/access.ts';
import { type LiveServer, startLiveServer } from '../../server/liveServer.ts';
import { ADAPTERS } from '../adapters.ts';
import { openLooking, type OpenLooking } from '../models/openLooking.ts';
import { packageVersion } from '../packageRoot.ts';
import { createLiveAnalysis } from '../serve/analyzeLive.ts';
import { startTensorBackend } from '../tensorBackend.ts';
import { EXIT, type Terminal } from '../terminal.ts';
import { loadWeights } from '../weights.ts';

/** What `undertone serve` was asked for. */
export type ServeCommand = {
  readonly host: string;
  readonly port: number;
  readonly config?: string | undefined;
  readonly weights?: string | undefined;
  /** Whether the pictures of video streams are looked at; what the configuration says unless given. */
  readonly vision?: 'on' | 'off' | undefined;
};

/** How long sessions may go on after the first signal to end. */
const DRAIN_MS = 10_000;

/**
 * Serves live sessions until a signal comes; then tells everybody to go, and ends when they went or 10 s later. A second
 * signal ends the process at once.
 * @throws UndertoneError BAD_CONFIG, FILE_NOT_FOUND, BAD_WEIGHTS, VAD_MISSING, NO_BACKEND, BAD_OPTION (address in use)
 */
export async function runServe(command: ServeCommand, terminal: Terminal): Promise<number> {
  const config = command.config === undefined ? DEFAULT_SERVER_CONFIG : await readConfig(command.config);
  assertSafeHost(config, command.host);
  const { server, end } = await openServer(config, { ...command, ports: [command.port] }, terminal);
  terminal.err.write(`listening on ${server.url} (producers: /v1/stream, consumers: /v1/feed)\n`);
  if (server.access.isOpen)
    terminal.err.write(
      'no keys are configured: anybody on this machine may connect; "undertone keys create" makes a key\n',
    );
  await untilStopped(terminal.stop);
  await end();
  return EXIT.done;
}

/** A server that listens, and how it ends: when everybody went, or 10 s later. */
export type OpenServer = { readonly server: LiveServer; readonly end: () => Promise<void> };

/**
 * Starts a server with all that analyzes for it, on the first of `ports` that is free, and says what is lost of it.
 * @throws UndertoneError as {@link runServe}
 */
export async function openServer(
  config: ServerConfig,
  command: Omit<ServeCommand, 'port'> & { readonly ports: readonly number[] },
  terminal: Terminal,
): Promise<OpenServer> {
  const vision = await openVision(command.vision ?? config.vision, config, terminal.env);
  for (const notice of vision.notices) terminal.err.write(`${notice}\n`);
  try {
    const server = await startServer(config, command, vision);
    const end = async (): Promise<void> => {
      await server.drain(DRAIN_MS);
      await vision.close();
    };
    return { server, end };
  } catch (error) {
    await vision.close();
    throw error;
  }
}

/** Resolves when the command should come to an end. */
export function untilStopped(stop: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (stop.aborted) resolve();
    stop.addEventListener('abort', () => resolve(), { once: true });
  });
}

/** Opens whoever looks at pictures, if anybody should. */
async function openVision(vision: 'on' | 'off', { policy }: ServerConfig, env: Terminal['env']): Promise<OpenLooking> {
  if (vision === 'off') return { notices: [], close: async () => undefined };
  return openLooking(policy.privacy, env);
}

type ServerCommand = Parameters<typeof openServer>[1];

async function startServer(
  config: ServerConfig,
  { host, ports, weights: path }: ServerCommand,
  { looking }: OpenLooking,
): Promise<LiveServer> {
  const [backend, weights, vad] = await Promise.all([startTensorBackend('auto'), loadWeights(path), ADAPTERS.vad()]);
  const model = createEmotionModel(weights);
  const { privacy } = config.policy;
  const names = { weights: weights.provenance.name, backend: backend.name };
  const analyze = createLiveAnalysis({ vad, model, ...names, privacy, looking });
  const tls = config.tls && { cert: await readPem(config.tls.cert), key: await readPem(config.tls.key) };
  const deps = { analyze, createOpus: ADAPTERS.opus, now: () => performance.now(), version: packageVersion() };
  return listen(ports, host, (port) => startLiveServer(config, { ...deps, ...(tls && { tls }) }, { host, port }));
}

/** Listens on the first port that is free. */
async function listen(
  ports: readonly number[],
  host: string,
  start: (port: number) => Promise<LiveServer>,
): Promise<LiveServer> {
  let failure: UndertoneError | undefined;
  for (const port of ports) {
    try {
      return await start(port);
    } catch (cause) {
      const code = cause instanceof Error && 'code' in cause ? String(cause.code) : 'unknown reason';
      failure = new UndertoneError('BAD_OPTION', `cannot listen on ${host}:${port} (${code})`, { cause });
      if (code !== 'EADDRINUSE') throw failure;
    }
  }
  throw failure ?? new UndertoneError('BAD_OPTION', 'no port to listen on');
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
