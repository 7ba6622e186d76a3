import type { WebSocket } from 'ws';
import type { LivePolicy, ServerLimits } from '../config.ts';
import type { ReadFromPictures } from '../protocol/live.ts';
import { type Principal, requireParticipant } from './access.ts';
import { serveConsumer } from './consumerConnection.ts';
import { enterAsConsumer, enterAsProducer } from './entering.ts';
import type { Metrics } from './metrics.ts';
import { type Connection, createPeer } from './peer.ts';
import { serveProducer } from './producerConnection.ts';
import { createTokenBucket } from './rateLimit.ts';
import type { Sessions } from './sessions.ts';

/** Where WebSockets are served: producers and consumers. */
export const SOCKET_PATHS = ['/v1/stream', '/v1/feed'] as const;
/** One path of {@link SOCKET_PATHS}. */
export type SocketPath = (typeof SOCKET_PATHS)[number];

/** The connections of a server that are open and were let in. */
export type Connections = {
  readonly serve: (socket: WebSocket, path: SocketPath, principal: Principal) => void;
  tick(nowMs: number): void;
  goAway(leftMs: number): void;
  /** Says `GOING_AWAY` to all. What does not close by itself is cut after `closed`. */
  close(closed: () => Promise<void>): Promise<void>;
};

/** What connections need. */
export type ConnectionsContext = {
  readonly now: () => number;
  readonly sessions: Sessions;
  readonly metrics: Metrics;
  readonly policy: LivePolicy;
  readonly vision: ReadFromPictures;
  /** Whether what passes between first and final answers is left out; never unless given. */
  readonly isTerse?: () => boolean;
  readonly limits: ServerLimits & { readonly maxAheadMs: number };
};

/** Seconds of messages and of bytes that may come at once, beside what a client sends again after a drop. */
const BURST_SECONDS = 5;

/** Returns no connections. */
export function createConnections(context: ConnectionsContext): Connections {
  const open = new Map<WebSocket, Connection>();
  return {
    serve: (socket, path, principal) => {
      open.set(socket, serve(socket, path, { ...context, principal }));
      socket.once('close', () => open.delete(socket));
    },
    tick: (nowMs) => {
      for (const connection of open.values()) connection.tick(nowMs);
    },
    goAway: (leftMs) => {
      for (const connection of open.values()) connection.goAway(leftMs);
    },
    close: async (closed) => {
      const sockets = [...open.keys()];
      for (const socket of sockets) createPeer(socket).fail('GOING_AWAY', 'the server is shutting down');
      await closed();
      for (const socket of sockets) socket.terminate();
    },
  };
}

function serve(
  socket: WebSocket,
  path: SocketPath,
  context: ConnectionsContext & { readonly principal: Principal },
): Connection {
  const { now, sessions, metrics, principal, limits, vision, isTerse = () => false } = context;
  const common = { now, limits, vision, count: metrics.count, admit: createAdmit(limits, now) };
  if (path === '/v1/feed')
    return serveConsumer(socket, { ...common, isTerse, enter: (hello) => enterAsConsumer(hello, principal, sessions) });
  return serveProducer(socket, {
    ...common,
    enter: enterAsProducer(context),
    speakFor: (participant) => requireParticipant(principal, participant ?? ''),
  });
}

/** What one connection may send: so many messages and bytes a second, and more at once after a drop. */
function createAdmit(limits: ServerLimits, now: () => number): (bytes: number) => boolean {
  const { maxMessagesPerSecond, maxBytesPerSecond, ringMs } = limits;
  const largest = Math.max(limits.maxFrameBytes, limits.maxMessageBytes);
  const messages = createTokenBucket(
    { perSecond: maxMessagesPerSecond, burst: maxMessagesPerSecond * (BURST_SECONDS + ringMs / 1_000) },
    { now },
  );
  const bytes = createTokenBucket(
    { perSecond: maxBytesPerSecond, burst: Math.max(maxBytesPerSecond * BURST_SECONDS, largest) },
    { now },
  );
  return (size) => messages.take(1) && bytes.take(Math.max(1, size));
}
