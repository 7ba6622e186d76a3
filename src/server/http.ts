import fastify, { type FastifyInstance, type FastifyReply, type FastifyRequest } from 'fastify';
import { z } from 'zod';
import { type Scope, type ServerConfig } from '../config.ts';
import { ERROR_CODES, type ErrorCode, UndertoneError } from '../errors.ts';
import { EXCEPTIONS, PURPOSES, type ReadFromPictures } from '../protocol/live.ts';
import { type Access, type Principal, requireScope } from './access.ts';
import type { Admission } from './admission.ts';
import type { Metrics } from './metrics.ts';
import { tellable } from './peer.ts';
import { checkPurpose } from './policy.ts';
import type { LiveSession } from './session.ts';
import type { Sessions } from './sessions.ts';
import type { IssuedToken } from './tokens.ts';

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
  readonly vision: ReadFromPictures;
  readonly tls?: ServerFiles;
};

const identifier = z.string().regex(/^[\p{L}\p{N}_.:~-]{1,64}$/u);
const newSession = z.strictObject({
  session: identifier.exactOptional(),
  purpose: z.enum(PURPOSES).exactOptional(),
  exception: z.enum(EXCEPTIONS).exactOptional(),
  participant: identifier.exactOptional(),
});
/** So often is looked for requests that take too long. */
const CHECK_MS = 500;
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
  const { maxMessageBytes, helloTimeoutMs } = context.config.limits;
  const timeouts = {
    headersTimeout: helloTimeoutMs,
    requestTimeout: helloTimeoutMs,
    connectionsCheckingInterval: CHECK_MS,
  };
  const app = fastify({
    logger: false,
    bodyLimit: maxMessageBytes,
    requestTimeout: helloTimeoutMs,
    keepAliveTimeout: helloTimeoutMs,
    ...(context.tls ? { https: { ...context.tls, ...timeouts } } : { http: timeouts }),
  }) as unknown as FastifyInstance;
  app.setErrorHandler((error, _request, reply) => send(reply, error));
  app.setNotFoundHandler((_request, reply) =>
    reply.code(404).send({ code: 'FILE_NOT_FOUND', message: 'no such path' }),
  );
  addHealth(app, context);
  addSessions(app, context);
  return app;
}

function addHealth(app: FastifyInstance, { version, vision, metrics, isReady }: HttpContext): void {
  app.get('/healthz', () => ({ status: 'ok', version, vision }));
  app.get('/readyz', (_request, reply) =>
    isReady() ? { status: 'ready' } : reply.code(503).send({ code: 'GOING_AWAY', message: 'shutting down' }),
  );
  app.get('/metrics', async (_request, reply) => reply.type(metrics.contentType).send(await metrics.text()));
}

function addSessions(app: FastifyInstance, context: HttpContext): void {
  const { sessions } = context;
  type WithId = { Params: { id: string } };
  app.post('/v1/sessions', async (request, reply) => {
    const principal = await principalOf(request, context, { scope: 'admin' });
    return reply.code(201).send(await beginSession(request.body, principal, context));
  });
  app.get<WithId>('/v1/sessions/:id', async (request) => {
    const { id } = request.params;
    await principalOf(request, context, { scope: 'consume', session: id });
    return describe(sessions.get(id));
  });
  app.delete<WithId>('/v1/sessions/:id', async (request, reply) => {
    const { id } = request.params;
    await principalOf(request, context, { scope: 'admin', session: id });
    await sessions.delete(id);
    return reply.code(204).send();
  });
}

async function principalOf(
  { ip, headers: { authorization, origin } }: FastifyRequest,
  { admission, access }: HttpContext,
  { scope, session }: { readonly scope: Scope; readonly session?: string },
): Promise<Principal> {
  admission.attempt(ip);
  const principal = await access.authenticate({ authorization, origin, protocols: [], remoteAddress: ip });
  requireScope(principal, scope, session);
  return principal;
}

type Begun = { readonly session: string; readonly tokens: Partial<Record<Scope, IssuedToken>> };

/** Begins the session that a body asks for, with a token for each of the scopes that its asker has. */
async function beginSession(
  body: unknown,
  principal: Principal,
  { config, access, sessions }: HttpContext,
): Promise<Begun> {
  const parsed = newSession.safeParse(body ?? {});
  if (!parsed.success)
    throw new UndertoneError('BAD_MESSAGE', `${parsed.error.issues[0]?.path.join('.') || 'body'} breaks its rule`);
  const { session: id, participant, purpose, exception } = parsed.data;
  checkPurpose(purpose, config.policy);
  const session = sessions.create({ ...(purpose && { purpose }), ...(exception && { exception }) }, id);
  const grant = { session: session.id, keyId: principal.keyId };
  const tokens: Partial<Record<Scope, IssuedToken>> = {};
  if (principal.scopes.has('produce'))
    tokens.produce = await access.issueToken({
      ...grant,
      scopes: ['produce'],
      ...(participant !== undefined && { participant }),
    });
  if (principal.scopes.has('consume')) tokens.consume = await access.issueToken({ ...grant, scopes: ['consume'] });
  return { session: session.id, tokens };
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
    streams: session.ingest.streams().map((stream) => ({
      ...stream.position(),
      kind: stream.entry.declaration.kind,
      participant: stream.entry.declaration.participant ?? null,
      state: stream.state,
      interruption: stream.interruption ?? null,
      ...stream.counts,
    })),
  };
}
