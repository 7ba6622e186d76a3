import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { WebSocketServer, type RawData, type WebSocket } from 'ws';
import { SUBPROTOCOL } from '../../src/protocol/live.ts';
import type { ConsumerWelcome, LiveLimits, ProducerWelcome } from '../../src/protocol/live.ts';
import { decodeMediaFrame, type MediaFrame } from '../../src/protocol/mediaFrame.ts';

/** What a client sent: a message, or a media frame. */
export type Heard =
  ({ readonly type: string } & Readonly<Record<string, unknown>>) | ({ readonly type: 'frame' } & MediaFrame);

/** One connection as the server sees it. */
export type FakeConnection = {
  readonly path: string;
  /** The subprotocols that the client offered. */
  readonly protocols: readonly string[];
  /** The next thing the client sent, in order. */
  next(): Promise<Heard>;
  /** The next `count` things. */
  take(count: number): Promise<readonly Heard[]>;
  /** What has come and was not asked for. */
  readonly pending: readonly Heard[];
  send(...messages: readonly (object | string)[]): void;
  /** Takes the hello and answers it. */
  welcomeProducer(welcome?: Partial<ProducerWelcome>): Promise<Heard>;
  welcomeConsumer(welcome?: Partial<ConsumerWelcome>): Promise<Heard>;
  close(code: number): void;
  /** The network goes: no closing handshake. */
  cut(): void;
  /** The server takes nothing from the network any more, so that what the client sends piles up. */
  stall(): void;
  unstall(): void;
  /** The close code of the client, once it has closed. */
  readonly closed: Promise<number>;
};

/** A server that speaks the live protocol over real sockets, and does what a test tells it. */
export type FakeLiveServer = {
  readonly url: string;
  /** The next connection that comes. */
  connection(): Promise<FakeConnection>;
  /** How many connections have come. */
  readonly count: number;
  close(): Promise<void>;
};

export const LIMITS: LiveLimits = {
  maxMessageBytes: 64 * 1024,
  maxFrameBytes: 64 * 1024,
  maxStreams: 8,
  maxParticipants: 8,
  maxMessagesPerSecond: 10_000,
  maxBytesPerSecond: 100_000_000,
  maxSessionMs: 3_600_000,
};

const PRODUCER_WELCOME: ProducerWelcome = {
  type: 'welcome',
  v: 1,
  session: 's1',
  epoch: 1,
  isResumed: false,
  resumeToken: 'r1',
  resumeWithinMs: 120_000,
  ringMs: 30_000,
  heartbeatMs: 5_000,
  clockMs: 0,
  streams: [],
  participants: [],
  limits: LIMITS,
};
const CONSUMER_WELCOME: ConsumerWelcome = {
  type: 'welcome',
  v: 1,
  session: 's1',
  epoch: 1,
  heartbeatMs: 5_000,
  nextSeq: 1,
};

/** Starts a server on a free port of this machine. */
export async function startFakeLiveServer(): Promise<FakeLiveServer> {
  const server = new WebSocketServer({ port: 0, host: '127.0.0.1', handleProtocols: () => SUBPROTOCOL });
  await once(server, 'listening');
  const connections = createQueue<FakeConnection>();
  let count = 0;
  server.on('connection', (socket, { url = '', headers }) => {
    count++;
    const protocols = (headers['sec-websocket-protocol'] ?? '').split(',').map((one) => one.trim());
    connections.push(toConnection(socket, url, protocols));
  });
  return {
    url: `ws://127.0.0.1:${(server.address() as AddressInfo).port}`,
    connection: () => connections.next(),
    get count() {
      return count;
    },
    async close() {
      for (const socket of server.clients) socket.terminate();
      const closed = once(server, 'close');
      server.close();
      await closed;
    },
  };
}

function toConnection(socket: WebSocket, path: string, protocols: readonly string[]): FakeConnection {
  const heard = createQueue<Heard>();
  const closed = new Promise<number>((resolve) => socket.on('close', resolve));
  socket.on('message', (data: RawData, isBinary: boolean) => heard.push(toHeard(data as Buffer, isBinary)));
  socket.on('error', () => undefined);
  const send = (...messages: readonly (object | string)[]): void => {
    for (const message of messages) socket.send(typeof message === 'string' ? message : JSON.stringify(message));
  };
  const answer = async (welcome: object): Promise<Heard> => {
    const hello = await heard.next();
    send(welcome);
    return hello;
  };
  return {
    path,
    protocols,
    next: () => heard.next(),
    async take(count) {
      const taken: Heard[] = [];
      while (taken.length < count) taken.push(await heard.next());
      return taken;
    },
    get pending() {
      return heard.waiting;
    },
    send,
    welcomeProducer: (welcome) => answer({ ...PRODUCER_WELCOME, ...welcome }),
    welcomeConsumer: (welcome) => answer({ ...CONSUMER_WELCOME, ...welcome }),
    close: (code) => socket.close(code),
    cut: () => socket.terminate(),
    stall: () => socket.pause(),
    unstall: () => socket.resume(),
    closed,
  };
}

function toHeard(data: Buffer, isBinary: boolean): Heard {
  if (!isBinary) return JSON.parse(data.toString('utf8')) as Heard;
  const decoded = decodeMediaFrame(new Uint8Array(data));
  if (!decoded.ok) throw new Error(`the client sent a frame that is ${decoded.rule}`);
  return { type: 'frame', ...decoded.frame };
}

type Queue<T> = { push(item: T): void; next(): Promise<T>; readonly waiting: readonly T[] };

function createQueue<T>(): Queue<T> {
  const items: T[] = [];
  const takers: ((item: T) => void)[] = [];
  return {
    push(item) {
      const taker = takers.shift();
      if (taker) taker(item);
      else items.push(item);
    },
    next: () =>
      items.length > 0 ? Promise.resolve(items.shift() as T) : new Promise((resolve) => takers.push(resolve)),
    get waiting() {
      return items;
    },
  };
}
