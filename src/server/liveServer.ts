import type { FastifyInstance } from 'fastify';
import type { Socket } from 'node:net';
import type { ServerConfig } from '../config.ts';
import type { ReadFromPictures } from '../protocol/live.ts';
import { type Access, createAccess } from './access.ts';
import { createAdmission } from './admission.ts';
import { type Connections, createConnections } from './connections.ts';
import { createHttp, type ServerFiles } from './http.ts';
import { createLoadWatch, kindsShed, type LoadWatch, type LoopDelay, measureLoopDelay } from './loadWatch.ts';
import { createMetrics } from './metrics.ts';
import type { Page } from './page.ts';
import { decidePolicy } from './policy.ts';
import { createSessions, type Sessions, type SessionsDeps } from './sessions.ts';
import { createUpgrade } from './upgrade.ts';

/** What a live server receives. */
export type LiveServerDeps = Omit<SessionsDeps, 'decideFor' | 'isFull'> & {
  readonly version: string;
  /** What the analysis reads from the pictures of video streams, for those who ask; nothing unless given. */
  readonly vision?: ReadFromPictures | undefined;
  /** Certificate and key in PEM, when the server speaks TLS. */
  readonly tls?: ServerFiles;
  /** The page for trying it out; a server with keys shows none. */
  readonly page?: Page;
  /** How far media may be ahead of the clock before their producer is made to wait; 15 s unless given. */
  readonly maxAheadMs?: number;
  /** How late the event loop is; measured unless given. */
  readonly loopDelay?: LoopDelay;
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
/** An analysis that takes longer to end does not keep the server from closing. */
const END_MS = 3_000;

/** Starts a server. @throws the system's error when the address cannot be listened on. */
export async function startLiveServer(
  config: ServerConfig,
  deps: LiveServerDeps,
  { host, port }: { readonly host: string; readonly port: number },
): Promise<LiveServer> {
  const { now, loopDelay = measureLoopDelay() } = deps;
  let isDraining = false;
  const load = createLoadWatch(config.limits.maxDelayMs, () => loopDelay.take() + sessions.lateMs);
  const { app, sessions, connections, access } = assemble(config, { ...deps, load }, () => isDraining);
  const tick = (): void => {
    if (load.tick(now())) sessions.shed(kindsShed(load.step));
    sessions.tick(now());
    connections.tick(now());
  };
  const ticker = setInterval(tick, TICK_MS);
  await app.listen({ host, port }).catch((error: unknown) => {
    clearInterval(ticker);
    loopDelay.stop();
    throw error;
  });
  const close = async (): Promise<void> => {
    clearInterval(ticker);
    loopDelay.stop();
    await Promise.race([sessions.endAll('shutdown'), wait(END_MS)]);
    connections.tick(now());
    await connections.close(() => app.close());
  };
  return {
    port: portOf(app.server.address()),
    url: `${deps.tls ? 'wss' : 'ws'}://${host.includes(':') ? `[${host}]` : host}:${portOf(app.server.address())}`,
    sessions,
    access,
    drain: async (leftMs) => {
      isDraining = true;
      connections.goAway(leftMs);
      const untilMs = now() + leftMs;
      while (sessions.active > 0 && now() < untilMs) await wait(TICK_MS);
      await close();
    },
    close,
  };
}

/** Makes the parts of a server and joins them; nothing listens yet. */
function assemble(
  config: ServerConfig,
  deps: LiveServerDeps & { readonly load: LoadWatch },
  isDraining: () => boolean,
): {
  readonly app: FastifyInstance;
  readonly sessions: Sessions;
  readonly connections: Connections;
  readonly access: Access;
} {
  const { now, maxAheadMs = MAX_AHEAD_MS, vision = [], load } = deps;
  const { policy } = config;
  const limits = { ...config.limits, maxAheadMs };
  const decideFor: SessionsDeps['decideFor'] =
    ({ purpose, exception }) =>
    (participant) =>
      decidePolicy({ purpose, exception, participant, policy });
  const isFull = (): boolean => {
    // Without sessions there is nothing to do, however much there was with those before.
    if (sessions.active === 0) load.reset();
    return load.step >= 1;
  };
  const sessions: Sessions = createSessions(limits, { ...deps, decideFor, isFull });
  const access = createAccess(config, { now: () => Date.now() });
  const admission = createAdmission(limits, { now });
  const metrics = createMetrics({
    sessions: () => sessions.active,
    connections: () => admission.connections(),
    waiting: () => sessions.all().reduce((sum, { waiting }) => sum + waiting, 0),
    loadStep: () => load.step,
    delayMs: () => load.delayMs,
  });
  const isTerse = (): boolean => load.step >= 3;
  const connections = createConnections({ now, sessions, metrics, policy, vision, limits, isTerse });
  const app = createHttp({
    config,
    access,
    admission,
    sessions,
    metrics,
    unreadyFor: () => (isDraining() ? 'GOING_AWAY' : isFull() ? 'OVERLOADED' : undefined),
    ...deps,
    vision,
  });
  app.server.on('connection', (socket: Socket) => {
    try {
      socket.once('close', admission.accept(socket.remoteAddress ?? ''));
    } catch {
      metrics.count('rejected');
      socket.destroy();
    }
  });
  const { serve } = connections;
  app.server.on('upgrade', createUpgrade({ limits, access, admission, metrics, isDraining, serve }));
  return { app, sessions, connections, access };
}

function portOf(address: ReturnType<FastifyInstance['server']['address']>): number {
  return typeof address === 'object' && address !== null ? address.port : 0;
}

async function wait(ms: number): Promise<void> {
  await new Promise((resolve) => setTimeout(resolve, ms).unref());
}
