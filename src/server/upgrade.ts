import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import { type WebSocket, WebSocketServer } from 'ws';
import type { ServerLimits } from '../config.ts';
import { SUBPROTOCOL } from '../protocol/live.ts';
import type { Access, Principal } from './access.ts';
import type { Admission } from './admission.ts';
import { SOCKET_PATHS, type SocketPath } from './connections.ts';
import type { Metrics } from './metrics.ts';
import { createPeer } from './peer.ts';

/** Turns an HTTP request into a WebSocket, or refuses it. */
export type Upgrade = (request: IncomingMessage, raw: Duplex, head: Buffer) => void;

/** What decides which requests become sockets, and who gets them. */
export type UpgradeContext = {
  readonly limits: Pick<ServerLimits, 'maxMessageBytes' | 'maxFrameBytes'>;
  readonly access: Access;
  readonly admission: Admission;
  readonly metrics: Metrics;
  readonly isDraining: () => boolean;
  readonly serve: (socket: WebSocket, path: SocketPath, principal: Principal) => void;
};

const STATUS: Readonly<Record<400 | 404 | 429 | 503, string>> = {
  400: 'Bad Request',
  404: 'Not Found',
  429: 'Too Many Requests',
  503: 'Service Unavailable',
};

/**
 * Returns what upgrades requests. Wrong paths and subprotocols, too many connections and a server that drains are refused
 * over HTTP; a key or token that is not good over the socket, since browsers tell their pages nothing of an HTTP status.
 */
export function createUpgrade(context: UpgradeContext): Upgrade {
  const { limits, admission, metrics, isDraining } = context;
  const sockets = new WebSocketServer({
    noServer: true,
    perMessageDeflate: false,
    maxPayload: Math.max(limits.maxMessageBytes, limits.maxFrameBytes),
    handleProtocols: (offered) => (offered.has(SUBPROTOCOL) ? SUBPROTOCOL : false),
  });
  return (request, raw, head) => {
    raw.on('error', () => raw.destroy());
    const path = SOCKET_PATHS.find((one) => one === (request.url ?? '').split('?')[0]);
    if (path === undefined) return refuse(raw, 404);
    if (!protocolsOf(request).includes(SUBPROTOCOL)) return refuse(raw, 400);
    if (isDraining()) return refuse(raw, 503);
    try {
      raw.once('close', admission.admit(request.socket.remoteAddress ?? ''));
    } catch {
      metrics.count('rejected');
      return refuse(raw, 429);
    }
    sockets.handleUpgrade(request, raw, head, (socket) => authenticate(socket, request, path, context));
  };
}

/** Nothing is read of a socket before it is known whose it is. */
function authenticate(
  socket: WebSocket,
  request: IncomingMessage,
  path: SocketPath,
  { access, metrics, serve }: UpgradeContext,
): void {
  const { authorization, origin, host } = request.headers;
  const remoteAddress = request.socket.remoteAddress ?? '';
  socket.on('error', () => undefined);
  socket.pause();
  access
    .authenticate({ authorization, origin, host, protocols: protocolsOf(request), remoteAddress })
    .then((principal) => serve(socket, path, principal))
    .catch((error: unknown) => {
      metrics.count('rejected');
      createPeer(socket).failWith(error);
    })
    .finally(() => socket.resume());
}

function protocolsOf({ headers }: IncomingMessage): readonly string[] {
  return (headers['sec-websocket-protocol'] ?? '').split(',').map((one) => one.trim());
}

function refuse(raw: Duplex, status: keyof typeof STATUS): void {
  raw.end(`HTTP/1.1 ${status} ${STATUS[status]}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`);
}
