import fastify, { type FastifyInstance, type FastifyReply, type FastifyRequest } from 'fastify';
import { z } from 'zod';
import { type Scope, type ServerConfig } from '../config.ts';
import { ERROR_CODES, type ErrorCode, UndertoneError } from '../errors.ts';
import { EXCEPTIONS, PURPOSES } from '../protocol/live.ts';
import { type Access, type Principal, requireScope } from './access.ts';
import type { Admission } from './admission.ts';
import type { Metrics } from './metrics.ts';
import { tellable } from './peer.ts';
import { checkPurpose } from './policy.ts';
import type { LiveSession, Sessions } from './sessions.ts';

/** A certificate and its key, in PEM. */
export type ServerFiles = { readonly cert: Buffer; readonly key: Buffer };

/** What the HTTP side of a server needs. */
export type HttpContext = {
  readonly config: ServerConfig;
  readonly access: Access;
  readonly admission: Admission;
  readonly sessions: Sessions;
  readonly metrics: Metrics;
  readonly isReady: () => boolean;
  readonly version: string;
  readonly tls?: ServerFiles;
};

const newSession = z.strictObject({
  session: z
    .string()
    .regex(/^[\p{L}\p{N}_.:~-]{1,64}$/u)
    .exactOptional(),
  purpose: z.enum(PURPOSES).exactOptional(),
  exception: z.enum(EXCEPTIONS).exactOptional(),
  participant: z
    .string()
    .regex(/^[\p{L}\p{N}_.:~-]{1,64}$/u)
    .exactOptional(),
});
/** Handshakes and requests that take longer are cut. */
const REQUEST_MS = 10_000;
const STATUS: Partial<Record<ErrorCode, number>> = {
  BAD_MESSAGE: 400,
  UNAUTHENTICATED: 401,
  TOKEN_EXPIRED: 401,
  FORBIDDEN: 403,
  ORIGIN_REFUSED: 403,
  PURPOSE_REFUSED: 403,
  SESSION_NOT_FOUND: 404,
  RATE_LIMITED: 429,
  LIMIT_EXCEEDED: 429,
  MESSAGE_TOO_BIG: 413,
};

/** Returns the HTTP side of a server: sessions, health and metrics. It is not listening yet. */
export function createHttp(context: HttpContext): FastifyInstance {
  const { access, admission, sessions, metrics, isReady } = context;
  const app = fastify({
    logger: false,
    bodyLimit: context.config.limits.maxMessageBytes,
    requestTimeout: REQUEST_MS,
    ...(context.tls && { https: context.tls }),
    http: { headersTimeout: REQUEST_MS, requestTimeout: REQUEST_MS, connectionsCheckingInterval: 1_000 },
  }) as unknown as FastifyInstance;

  const principalOf = async (request: FastifyRequest, scope: Scope, session?: string): Promise<Principal> => {
    admission.attempt(request.ip);
    const { authorization, origin } = request.headers;
    const principal = await access.authenticate({ authorization, origin, protocols: [], remoteAddress: request.ip });
    requireScope(principal, scope, session);
    return principal;
  };
  type WithId = { Params: { id: string } };

  app.setErrorHandler((error, _request, reply) => send(reply, error));
  app.setNotFoundHandler((_request, reply) =>
    reply.code(404).send({ code: 'FILE_NOT_FOUND', message: 'no such path' }),
  );
  app.get('/healthz', () => ({ status: 'ok', version: context.version }));
  app.get('/readyz', (_request, reply) =>
    isReady() ? { status: 'ready' } : reply.code(503).send({ code: 'GOING_AWAY', message: 'shutting down' }),
  );
  app.get('/metrics', async (_request, reply) => reply.type(metrics.contentType).send(await metrics.text()));
  app.post('/v1/sessions', async (request, reply) => {
    const principal = await principalOf(request, 'admin');
    const parsed = newSession.safeParse(request.body ?? {});
    if (!parsed.success)
      throw new UndertoneError('BAD_MESSAGE', `${parsed.error.issues[0]?.path.join('.') || 'body'} breaks its rule`);
    const { session: id, participant, purpose, exception } = parsed.data;
    checkPurpose(purpose, context.config.policy);
    const session = sessions.create({ ...(purpose && { purpose }), ...(exception && { exception }) }, id);
    const scopes = (['produce', 'consume'] as const).filter((scope) => principal.scopes.has(scope));
    const tokens = await Promise.all(
      scopes.map(async (scope) => {
        const bound = scope === 'produce' && participant !== undefined ? { participant } : {};
        return [
          scope,
          await access.issueToken({ session: session.id, scopes: [scope], keyId: principal.keyId, ...bound }),
        ] as const;
      }),
    );
    return reply.code(201).send({ session: session.id, tokens: Object.fromEntries(tokens) });
  });
  app.get<WithId>('/v1/sessions/:id', async (request) => {
    await principalOf(request, 'consume', request.params.id);
    return describe(sessions.get(request.params.id));
  });
  app.delete<WithId>('/v1/sessions/:id', async (request, reply) => {
    await principalOf(request, 'admin', request.params.id);
    await sessions.delete(request.params.id);
    return reply.code(204).send();
  });
  return app;
}

function send(reply: FastifyReply, error: unknown): FastifyReply {
  const status = error instanceof Error && 'statusCode' in error ? Number(error.statusCode) : 500;
  if (status >= 400 && status < 500)
    return reply.code(status).send({
      code: status === 413 ? 'MESSAGE_TOO_BIG' : 'BAD_MESSAGE',
      message: 'the request cannot be read',
      retryable: false,
    });
  const { code, message } = tellable(error);
  return reply.code(STATUS[code] ?? 500).send({ code, message, retryable: ERROR_CODES[code].retryable });
}

function describe(session: LiveSession): Record<string, unknown> {
  const { id, epoch, purpose, exception, ended, log, waiting } = session;
  return {
    session: id,
    epoch,
    purpose: purpose ?? null,
    exception: exception ?? null,
    ended: ended ?? null,
    clockMs: Math.round(session.clockMs()),
    lastSeq: log.lastSeq,
    waiting,
    participants: session.participants.all(),
    streams: [...session.ingest.streams()].map((stream) => ({
      ...stream.position(),
      kind: stream.entry.declaration.kind,
      participant: stream.entry.declaration.participant ?? null,
      state: stream.state,
      interruption: stream.interruption ?? null,
      ...stream.counts,
    })),
  };
}
