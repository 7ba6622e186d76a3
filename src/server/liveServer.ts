import type { IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Duplex } from 'node:stream';
import { type WebSocket, WebSocketServer } from 'ws';
import type { ServerConfig } from '../config.ts';
import { SUBPROTOCOL } from '../protocol/live.ts';
import { type Access, createAccess, type Principal, requireParticipant } from './access.ts';
import { createAdmission } from './admission.ts';
import { serveConsumer } from './consumerConnection.ts';
import { createHttp, type ServerFiles } from './http.ts';
import { type CountName, createMetrics } from './metrics.ts';
import { createPeer, tellable } from './peer.ts';
import { decidePolicy } from './policy.ts';
import { serveProducer, type Ticking } from './producerConnection.ts';
import { createTokenBucket } from './rateLimit.ts';
import { enterAsConsumer, enterAsProducer } from './entering.ts';
import { createSessions, type Sessions, type SessionsDeps } from './sessions.ts';

/** What a live server receives. */
export type LiveServerDeps = Omit<SessionsDeps, 'decideFor'> & {
  readonly version: string;
  /** Certificate and key in PEM, when the server speaks TLS. */
  readonly tls?: ServerFiles;
  /** How far media may be ahead of the clock before their producer is made to wait; 15 s unless given. */
  readonly maxAheadMs?: number;
};

/** A server that is listening. */
export type LiveServer = {
  readonly url: string;
  readonly port: number;
  readonly sessions: Sessions;
  readonly access: Access;
  /** Refuses what is new, tells everybody to go, ends the sessions when all went or `leftMs` is over, and closes. */
  drain(leftMs: number): Promise<void>;
  close(): Promise<void>;
};

const TICK_MS = 200;
const MAX_AHEAD_MS = 15_000;

/** Starts a server. @throws the system's error when the address cannot be listened on. */
export async function startLiveServer(
  config: ServerConfig,
  deps: LiveServerDeps,
  { host, port }: { readonly host: string; readonly port: number },
): Promise<LiveServer> {
  const { now } = deps;
  const { limits } = config;
  const decideFor: SessionsDeps['decideFor'] =
    ({ purpose, exception }) =>
    (participant) =>
      decidePolicy({ purpose, exception, participant, policy: config.policy });
  const sessions = createSessions(limits, { ...deps, decideFor });
  const access = createAccess(config, { now: () => Date.now() });
  const admission = createAdmission(limits, { now });
  const metrics = createMetrics({
    sessions: () => sessions.active,
    connections: () => admission.connections(),
    waiting: () => sessions.all().reduce((sum, { waiting }) => sum + waiting, 0),
  });
  const open = new Set<Ticking & { readonly socket: WebSocket }>();
  let isDraining = false;
  const app = createHttp({ config, access, admission, sessions, metrics, isReady: () => !isDraining, ...deps });
  const sockets = new WebSocketServer({
    noServer: true,
    perMessageDeflate: false,
    maxPayload: Math.max(limits.maxMessageBytes, limits.maxFrameBytes),
    handleProtocols: (offered) => (offered.has(SUBPROTOCOL) ? SUBPROTOCOL : false),
  });

  const serve = (socket: WebSocket, path: string, principal: Principal): Ticking => {
    const burst = limits.maxMessagesPerSecond * (5 + limits.ringMs / 1000);
    const messages = createTokenBucket({ perSecond: limits.maxMessagesPerSecond, burst }, { now });
    const bytesBurst = Math.max(limits.maxBytesPerSecond * 5, limits.maxFrameBytes, limits.maxMessageBytes);
    const bytes = createTokenBucket({ perSecond: limits.maxBytesPerSecond, burst: bytesBurst }, { now });
    const common = { now, messages, count: (what: CountName) => metrics.count(what) };
    if (path === '/v1/feed')
      return serveConsumer(socket, {
        ...common,
        limits,
        enter: (hello) => enterAsConsumer(hello, principal, sessions),
      });
    const more = { ...limits, maxAheadMs: deps.maxAheadMs ?? MAX_AHEAD_MS };
    const enter = enterAsProducer({ principal, sessions, policy: config.policy });
    const speakFor = (participant: string | undefined): void => requireParticipant(principal, participant ?? '');
    return serveProducer(socket, { ...common, limits: more, bytes, enter, speakFor });
  };

  const onUpgrade = (request: IncomingMessage, raw: Duplex, head: Buffer): void => {
    const path = (request.url ?? '').split('?')[0] ?? '';
    const protocols = (request.headers['sec-websocket-protocol'] ?? '').split(',').map((one) => one.trim());
    const remoteAddress = request.socket.remoteAddress ?? '';
    raw.on('error', () => raw.destroy());
    if (path !== '/v1/stream' && path !== '/v1/feed') return refuseUpgrade(raw, 404);
    if (!protocols.includes(SUBPROTOCOL)) return refuseUpgrade(raw, 400);
    if (isDraining) return refuseUpgrade(raw, 503);
    let leave: () => void;
    try {
      leave = admission.admit(remoteAddress);
    } catch {
      metrics.count('rejected');
      return refuseUpgrade(raw, 429);
    }
    raw.once('close', leave);
    const { authorization, origin } = request.headers;
    const authenticated = access.authenticate({ authorization, origin, protocols, remoteAddress }).then(
      (principal) => ({ principal }),
      (error: unknown) => ({ error }),
    );
    sockets.handleUpgrade(request, raw, head, (socket) => {
      socket.on('error', () => undefined);
      socket.pause();
      void authenticated.then((result) => {
        socket.resume();
        if ('error' in result) {
          metrics.count('rejected');
          const { code, message } = tellable(result.error);
          return createPeer(socket, now()).fail(code, message);
        }
        const one = { ...serve(socket, path, result.principal), socket };
        open.add(one);
        socket.once('close', () => open.delete(one));
      });
    });
  };
  app.server.on('upgrade', onUpgrade);
  const ticker = setInterval(() => {
    const nowMs = now();
    sessions.tick(nowMs);
    for (const one of open) one.tick(nowMs);
  }, TICK_MS);
  await app.listen({ host, port });

  const close = async (): Promise<void> => {
    clearInterval(ticker);
    await sessions.endAll('shutdown');
    const left = [...open];
    for (const { tick } of left) tick(now());
    for (const { socket } of left) createPeer(socket, now()).fail('GOING_AWAY', 'the server is shutting down');
    sockets.close();
    await app.close();
    for (const { socket } of left) socket.terminate();
  };
  const address = app.server.address() as AddressInfo;
  return {
    port: address.port,
    url: `${deps.tls ? 'wss' : 'ws'}://${host.includes(':') ? `[${host}]` : host}:${address.port}`,
    sessions,
    access,
    drain: async (leftMs) => {
      isDraining = true;
      for (const one of open) one.goAway(leftMs);
      const untilMs = now() + leftMs;
      while (sessions.active > 0 && now() < untilMs) await new Promise((resolve) => setTimeout(resolve, TICK_MS));
      await close();
    },
    close,
  };
}

const STATUS: Readonly<Record<400 | 404 | 429 | 503, string>> = {
  400: 'Bad Request',
  404: 'Not Found',
  429: 'Too Many Requests',
  503: 'Service Unavailable',
};

function refuseUpgrade(raw: Duplex, status: keyof typeof STATUS): void {
  raw.end(`HTTP/1.1 ${status} ${STATUS[status]}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`);
}
