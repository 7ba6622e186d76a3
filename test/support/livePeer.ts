import { isDeepStrictEqual } from 'node:util';
import { WebSocket } from 'ws';
import type { Insight } from '../../src/domain/insight.ts';
import type {
  ConsumerServerMessage,
  ConsumerWelcome,
  ProducerMessage,
  ProducerServerMessage,
  ProducerWelcome,
} from '../../src/protocol/live.ts';
import { SUBPROTOCOL, TOKEN_SUBPROTOCOL } from '../../src/protocol/live.ts';
import { decodeInsight } from '../../src/protocol/insight.ts';
import { consumerServerMessage, producerServerMessage } from '../../src/protocol/serverSchema.ts';
import { encodeMediaFrame, type MediaFrame } from '../../src/protocol/mediaFrame.ts';

export type Said = ProducerServerMessage | ConsumerServerMessage | Insight;

/** A bare client that says what it is told to, for tests: no buffer, no coming back, no manners. */
export type LivePeer = {
  readonly socket: WebSocket;
  readonly said: Said[];
  readonly insights: Insight[];
  say(message: ProducerMessage | Record<string, unknown>): void;
  frame(frame: MediaFrame): void;
  raw(data: string | Uint8Array): void;
  /** The next message of the type, or the first that came already and was not asked for. */
  next<T extends Said['type']>(type: T): Promise<Extract<Said, { type: T }>>;
  readonly closed: Promise<{ readonly code: number; readonly reason: string }>;
  cut(): void;
};

export async function connectPeer(
  url: string,
  {
    path = '/v1/stream',
    token,
    headers = {},
  }: { path?: string; token?: string; headers?: Record<string, string> } = {},
): Promise<LivePeer> {
  const protocols = [SUBPROTOCOL, ...(token === undefined ? [] : [`${TOKEN_SUBPROTOCOL}${token}`])];
  const socket = new WebSocket(`${url}${path}`, protocols, { perMessageDeflate: false, headers, maxPayload: 1 << 26 });
  const said: Said[] = [];
  const insights: Insight[] = [];
  const asked = new Map<string, number>();
  const waiting = new Set<() => void>();
  const wake = (): void => {
    for (const one of [...waiting]) one();
  };
  socket.on('message', (data: Buffer) => {
    const value = JSON.parse(data.toString('utf8')) as Said;
    said.push(value);
    if ('seq' in value) {
      const decoded = decodeInsight(value);
      if (!decoded.ok) throw new Error(decoded.rule);
      insights.push(decoded.insight);
    } else checkDocumented(value, path);
    wake();
  });
  const closed = new Promise<{ code: number; reason: string }>((resolve) =>
    socket.on('close', (code, reason) => {
      resolve({ code, reason: reason.toString() });
      wake();
    }),
  );
  await new Promise<void>((resolve, reject) => {
    socket.once('open', () => resolve());
    socket.once('error', reject);
  });
  socket.on('error', () => undefined);
  const next: LivePeer['next'] = (type) =>
    new Promise((resolve, reject) => {
      const look = (): void => {
        const from = asked.get(type) ?? 0;
        const all = said.filter((one) => one.type === type);
        const found = all[from];
        if (!found && socket.readyState < WebSocket.CLOSING) return;
        waiting.delete(look);
        if (!found) return reject(new Error(`closed without ${type}`));
        asked.set(type, from + 1);
        resolve(found as never);
      };
      waiting.add(look);
      look();
    });
  return {
    socket,
    said,
    insights,
    say: (message) => socket.send(JSON.stringify(message)),
    frame: (frame) => socket.send(encodeMediaFrame(frame)),
    raw: (data) => socket.send(data),
    next,
    closed,
    cut: () => socket.terminate(),
  };
}

/** Whatever a server says must be as docs/asyncapi.json describes it, without a field more. */
function checkDocumented(value: Said, path: string): void {
  const parsed = (path === '/v1/feed' ? consumerServerMessage : producerServerMessage).safeParse(value);
  if (!parsed.success) throw new Error(`${value.type}: ${parsed.error.message}`);
  if (!isDeepStrictEqual(parsed.data, value)) throw new Error(`${value.type} has fields that are not documented`);
}

/** The next welcome of a producer. */
export async function producerWelcome(peer: LivePeer): Promise<ProducerWelcome> {
  return (await peer.next('welcome')) as ProducerWelcome;
}

/** The next welcome of a consumer. */
export async function consumerWelcome(peer: LivePeer): Promise<ConsumerWelcome> {
  return (await peer.next('welcome')) as ConsumerWelcome;
}
