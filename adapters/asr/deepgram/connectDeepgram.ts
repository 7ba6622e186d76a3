import type { DeepgramClient } from '@deepgram/sdk';
import { UndertoneError } from '../../../src/errors.ts';
import { GIVEN_UP, toReasonCode, type SocketFailure } from './socketFailure.ts';

/** What is asked of Deepgram. `diarize`: tell speakers apart. Times in ms. */
export type DeepgramQuery = {
  readonly model: string;
  readonly language?: string;
  readonly diarize: boolean;
  /** Silence after which a result is `speech_final`. */
  readonly endpointingMs: number;
  /** Gap between words after which UtteranceEnd comes; Deepgram takes no less than 1,000. */
  readonly utteranceEndMs: number;
  /** Keep the sound out of Deepgram's model improvement program. */
  readonly isOptedOut: boolean;
};

/** One connection. Nothing is queued in it: sound given before `onOpen` or after the end is an error of ours. */
export type DeepgramSocket = {
  readonly sendSound: (bytes: Uint8Array) => void;
  readonly sendText: (type: 'KeepAlive' | 'Finalize' | 'CloseStream') => void;
  /** Bytes that the operating system did not take yet. */
  readonly waitingBytes: () => number;
  /** Ends it; no handler is called afterwards. */
  readonly close: () => void;
};

/** Who is told what happens to a connection. After `onClosed` nothing follows. */
export type SocketHandlers = {
  readonly onOpen: () => void;
  readonly onMessage: (payload: unknown) => void;
  readonly onClosed: (failure: SocketFailure) => void;
};

/** Opens one connection. */
export type ConnectDeepgram = (query: DeepgramQuery, handlers: SocketHandlers) => DeepgramSocket;

const CONNECT_TIMEOUT_S = 10;
type ListenSocket = Awaited<ReturnType<DeepgramClient['listen']['v1']['connect']>>;

/**
 * Returns what opens connections with Deepgram's SDK. `url` is the WebSocket address of another server than Deepgram's. The
 * SDK's own reconnecting (30 times, and its queue has no limit) is off: it knows neither times nor speakers.
 * @throws UndertoneError RECOGNIZER_MISSING when the SDK is not installed.
 */
export async function loadDeepgram(apiKey: string, url?: string): Promise<ConnectDeepgram> {
  const Client = await importClient();
  const servers = url === undefined ? undefined : { base: url.replace(/^ws/u, 'http'), production: url, agent: url };
  const client = new Client({
    apiKey,
    ...(servers !== undefined && { environment: { ...servers, agentRest: servers.base } }),
  });
  return (query, handlers) => openSocket(client, query, handlers);
}

async function importClient(): Promise<typeof DeepgramClient> {
  try {
    return (await import('@deepgram/sdk')).DeepgramClient;
  } catch (cause) {
    throw new UndertoneError('RECOGNIZER_MISSING', 'install the package @deepgram/sdk to use Deepgram', { cause });
  }
}

function openSocket(client: DeepgramClient, query: DeepgramQuery, handlers: SocketHandlers): DeepgramSocket {
  let socket: ListenSocket | null = null;
  let isOver = false;
  const end = (failure: SocketFailure): void => {
    if (isOver) return;
    isOver = true;
    socket?.close();
    handlers.onClosed(failure);
  };
  const attach = (opened: ListenSocket): void => {
    if (isOver) return;
    socket = opened;
    let failure: SocketFailure | null = null;
    opened.on('open', handlers.onOpen);
    opened.on('message', (payload) => {
      if (!isOver) handlers.onMessage(payload);
    });
    opened.on('error', (error) => {
      failure = toHttpFailure(error);
    });
    // The SDK says 1000 of its own before it tells of an error, and both in one turn.
    opened.on('close', ({ code, reason }) => {
      queueMicrotask(() => {
        end(failure ?? { closeCode: code, reason: toReasonCode(reason ?? '') });
      });
    });
    opened.connect();
  };
  client.listen.v1.connect(toArguments(query)).then(attach, () => {
    end({ closeCode: GIVEN_UP, reason: 'the SDK could not connect' });
  });
  return {
    sendSound: (bytes) => socket?.sendMedia(bytes),
    sendText: (type) => {
      if (type === 'KeepAlive') socket?.sendKeepAlive({ type });
      else if (type === 'Finalize') socket?.sendFinalize({ type });
      else socket?.sendCloseStream({ type });
    },
    waitingBytes: () => socket?.socket.bufferedAmount ?? 0,
    close: () => {
      if (isOver) return;
      isOver = true;
      socket?.close();
    },
  };
}

/** The SDK gives an HTTP refusal only in words. */
function toHttpFailure(error: Error): SocketFailure {
  const status = /server response: (\d{3})/u.exec(error.message)?.[1];
  const failure = { closeCode: GIVEN_UP, reason: 'no connection' };
  return status === undefined ? failure : { ...failure, httpStatus: Number(status) };
}

function toArguments(query: DeepgramQuery): Parameters<DeepgramClient['listen']['v1']['connect']>[0] {
  return {
    model: query.model,
    ...(query.language !== undefined && { language: query.language }),
    encoding: 'linear16',
    sample_rate: 16_000,
    channels: 1,
    interim_results: 'true',
    smart_format: 'true',
    diarize: query.diarize ? 'true' : 'false',
    endpointing: query.endpointingMs,
    utterance_end_ms: query.utteranceEndMs,
    mip_opt_out: query.isOptedOut ? 'true' : 'false',
    reconnectAttempts: 0,
    shouldReconnect: () => false,
    connectionTimeoutInSeconds: CONNECT_TIMEOUT_S,
  };
}
