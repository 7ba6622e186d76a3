import fastify, { type FastifyInstance, type FastifyReply, type FastifyRequest } from 'fastify';
import { z } from 'zod';
import { type Scope, type ServerConfig } from '../config.ts';
import { ERROR_CODES, type ErrorCode, UndertoneError } from '../errors.ts';
import { brokenRuleOf } from '../protocol/brokenRule.ts';
import { EXCEPTIONS, PURPOSES, type ReadFromPictures } from '../protocol/live.ts';
import { type Access, type Principal, requireScope } from './access.ts';
import type { Admission } from './admission.ts';
import type { Metrics } from './metrics.ts';
import { addPage, type Page } from './page.ts';
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
  /** Why no new session should be sent here; undefined when one may. */
  readonly unreadyFor: () => 'GOING_AWAY' | 'OVERLOADED' | undefined;
  readonly version: string;
  readonly vision: ReadFromPictures;
  readonly tls?: ServerFiles;
  /** Shown by a server without keys, unless its configuration says otherwise. */
  readonly page?: Page;
};

const identifier = z.string().regex(/^[\p{L}\p{N}_.:~-]{1,64}$/u);
const newTokens = z.strictObject({ participant: identifier.exactOptional() });
const newSession = newTokens.extend({
  session: identifier.exactOptional(),
  purpose: z.enum(PURPOSES).exactOptional(),
  exception: z.enum(EXCEPTIONS).exactOptional(),
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
  OVERLOADED: 503,
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
    reply.code(404).send({ code: 'FILE_NOT_FOUND', message: 'no such path', retryable: false }),
  );
  addHealth(app, context);
  addSessions(app, context);
  const { page, config, access } = context;
  if (page && config.page && access.isOpen) addPage(app, page, context);
  return app;
}

function addHealth(app: FastifyInstance, { version, vision, metrics, unreadyFor }: HttpContext): void {
  app.get('/healthz', () => ({ status: 'ok', version, vision }));
  app.get('/readyz', (_request, reply) => {
    const code = unreadyFor();
    if (code === undefined) return { status: 'ready' };
    const message = code === 'GOING_AWAY' ? 'shutting down' : 'more to do than can be done';
    return reply.code(503).send({ code, message, retryable: ERROR_CODES[code].retryable });
  });
  app.get('/metrics', async (_request, reply) => reply.type(metrics.contentType).send(await metrics.text()));
}

function addSessions(app: FastifyInstance, context: HttpContext): void {
  const { sessions } = context;
  type WithId = { Params: { id: string } };
  app.post('/v1/sessions', async (request, reply) => {
    const principal = await principalOf(request, context, { scope: 'admin' });
    return reply.code(201).send(await beginSession(request.body, principal, context));
  });
  app.post<WithId>('/v1/sessions/:id/tokens', async (request, reply) => {
    const { id } = request.params;
    const principal = await principalOf(request, context, { scope: 'admin', session: id });
    const { participant } = parse(newTokens, request.body);
    const { id: session } = sessions.get(id);
    return reply
      .code(201)
      .send({ session, tokens: await issueTokens(session, principal, context.access, participant) });
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
  { ip, headers: { authorization, origin, host } }: FastifyRequest,
  { admission, access }: HttpContext,
  { scope, session }: { readonly scope: Scope; readonly session?: string },
): Promise<Principal> {
  admission.attempt(ip);
  const principal = await access.authenticate({ authorization, origin, host, protocols: [], remoteAddress: ip });
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
  const { session: id, participant, purpose, exception } = parse(newSession, body);
  checkPurpose(purpose, config.policy);
  const session = sessions.create({ ...(purpose && { purpose }), ...(exception && { exception }) }, id);
  return { session: session.id, tokens: await issueTokens(session.id, principal, access, participant) };
}

/** A token for each of the scopes that its asker has; to produce, perhaps for one participant only. */
async function issueTokens(
  session: string,
  { keyId, scopes }: Principal,
  access: Access,
  participant: string | undefined,
): Promise<Begun['tokens']> {
  const grant = { session, keyId };
  const tokens: Partial<Record<Scope, IssuedToken>> = {};
  if (scopes.has('produce'))
    tokens.produce = await access.issueToken({
      ...grant,
      scopes: ['produce'],
      ...(participant !== undefined && { participant }),
    });
  if (scopes.has('consume')) tokens.consume = await access.issueToken({ ...grant, scopes: ['consume'] });
  return tokens;
}

/** @throws UndertoneError BAD_MESSAGE naming the field, the rule it breaks and what is allowed, and no value */
function parse<T>(schema: z.ZodType<T>, body: unknown): T {
  const parsed = schema.safeParse(body ?? {});
  if (parsed.success) return parsed.data;
  throw new UndertoneError('BAD_MESSAGE', brokenRuleOf(parsed.error));
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
