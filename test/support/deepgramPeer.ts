import { once } from 'node:events';
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { WebSocket, WebSocketServer, type RawData } from 'ws';
import { createDeepgramEar, type DeepgramEar, type EarHabits, type PeerWord } from './deepgramEar.ts';

/** What one connection does wrong, once it has been given so much sound. */
export type Misbehaviour = {
  readonly afterMs: number;
  readonly how: 'cut' | 'stall' | 'close' | 'malformed' | 'not JSON' | 'oversized' | 'closed without Metadata';
  readonly code?: number;
  readonly reason?: string;
};

/** How a connection goes: what fails, which HTTP status refuses it, and habits of the server. */
export type ConnectionPlan = {
  readonly fails?: Misbehaviour;
  readonly refuses?: number;
  /** Every message comes twice. */
  readonly repeats?: boolean;
  /** Utterances end with UtteranceEnd only. */
  readonly withoutSpeechFinal?: boolean;
  /** Messages are sent after so many turns of the event loop. */
  readonly isSlow?: boolean;
};

/** What the peer saw of one connection. */
export type SeenConnection = {
  readonly authorization: string | undefined;
  readonly query: URLSearchParams;
  readonly texts: string[];
  soundMs: number;
  closeCode: number | null;
  /** Ends it as Deepgram does when neither sound nor KeepAlive came for 10 s. */
  readonly endIdle: () => void;
};

/** A server that speaks Deepgram's listen v1 over real sockets and hears the scripted words by the sound's level. */
export type DeepgramPeer = {
  readonly url: string;
  readonly seen: SeenConnection[];
  readonly close: () => Promise<void>;
};

/** Starts a peer on a free port. The n-th connection goes by the n-th plan, later ones well. */
export async function startDeepgramPeer(
  script: readonly PeerWord[],
  plans: readonly ConnectionPlan[] = [],
): Promise<DeepgramPeer> {
  const http = createServer();
  const sockets = new WebSocketServer({ noServer: true });
  const seen: SeenConnection[] = [];
  let count = 0;
  http.on('upgrade', (request, socket, head) => {
    const plan = plans[count] ?? {};
    count += 1;
    if (plan.refuses !== undefined) {
      socket.end(`HTTP/1.1 ${plan.refuses} Refused\r\nContent-Length: 0\r\nConnection: close\r\n\r\n`);
      return;
    }
    sockets.handleUpgrade(request, socket, head, (peer) => {
      seen.push(serve(peer, request, createDeepgramEar(script, toHabits(request, plan)), plan));
    });
  });
  http.listen(0, '127.0.0.1');
  await once(http, 'listening');
  return {
    url: `ws://127.0.0.1:${(http.address() as AddressInfo).port}`,
    seen,
    close: async () => {
      for (const peer of sockets.clients) peer.terminate();
      http.close();
      await once(http, 'close');
    },
  };
}

function toHabits(request: IncomingMessage, plan: ConnectionPlan): EarHabits {
  const tellsSpeakers = new URL(request.url ?? '', 'ws://peer').searchParams.get('diarize') === 'true';
  return { hasSpeechFinal: plan.withoutSpeechFinal !== true, tellsSpeakers };
}

function serve(peer: WebSocket, request: IncomingMessage, ear: DeepgramEar, plan: ConnectionPlan): SeenConnection {
  let isStalled = false;
  const connection: SeenConnection = {
    authorization: request.headers.authorization,
    query: new URL(request.url ?? '', 'ws://peer').searchParams,
    texts: [],
    soundMs: 0,
    closeCode: null,
    endIdle: () => {
      peer.close(1011, 'NET-0001: no audio within the timeout window');
    },
  };
  const say = (messages: readonly object[]): void => {
    if (isStalled) return;
    const deliver = (): void => {
      for (const message of messages) {
        for (let time = 0; time < (plan.repeats === true ? 2 : 1); time += 1) {
          if (peer.readyState === WebSocket.OPEN) peer.send(JSON.stringify(message));
        }
      }
    };
    if (plan.isSlow === true) setImmediate(() => setImmediate(deliver));
    else deliver();
  };
  const fail = ({ how, code = 1011, reason = 'NET-0000' }: Misbehaviour): void => {
    isStalled = true;
    if (how === 'cut') peer.terminate();
    else if (how === 'close') peer.close(code, reason);
    else if (how === 'not JSON') peer.send('{"type":"Results"');
    else if (how === 'malformed') peer.send('{"type":"Results","start":"now"}');
    else if (how === 'oversized') peer.send(JSON.stringify(oversized()));
  };
  const hear = (bytes: Buffer): void => {
    for (let at = 0; at < bytes.length && !isStalled; at += 320) {
      connection.soundMs += Math.min(320, bytes.length - at) / 32;
      say(ear.hear(bytes.subarray(at, at + 320)));
      if (
        plan.fails !== undefined &&
        plan.fails.how !== 'closed without Metadata' &&
        connection.soundMs >= plan.fails.afterMs
      ) {
        fail(plan.fails);
      }
    }
  };
  peer.on('message', (data: RawData, isBinary: boolean) => {
    if (isBinary) {
      hear(data as Buffer);
      return;
    }
    const { type } = JSON.parse((data as Buffer).toString('utf8')) as { type: string };
    connection.texts.push(type);
    if (type === 'Finalize') say(ear.finalize(true));
    if (type !== 'CloseStream' || isStalled) return;
    say([...ear.finalize(false), ...(plan.fails?.how === 'closed without Metadata' ? [] : [ear.metadata()])]);
    if (plan.isSlow === true)
      setImmediate(() =>
        setImmediate(() =>
          setImmediate(() => {
            peer.close(1000);
          }),
        ),
      );
    else peer.close(1000);
  });
  peer.on('close', (code) => {
    connection.closeCode = code;
  });
  peer.on('error', () => undefined);
  return connection;
}

function oversized(): object {
  const words = Array.from({ length: 5_000 }, () => ({ word: 'x', start: 0, end: 1, confidence: 1 }));
  const channel = { alternatives: [{ transcript: 'x', confidence: 1, words }] };
  return { type: 'Results', start: 0, duration: 1, is_final: true, channel };
}
