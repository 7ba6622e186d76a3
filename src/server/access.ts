import { timingSafeEqual } from 'node:crypto';
import type { Scope, ServerConfig } from '../config.ts';
import { UndertoneError } from '../errors.ts';
import { TOKEN_SUBPROTOCOL } from '../protocol/live.ts';
import { hashKey } from './keys.ts';
import { isLoopbackAddress, isLoopbackHost } from './network.ts';
import type { Principal } from './principal.ts';
import { createTokens, type IssuedToken, type TokenGrant } from './tokens.ts';

export type { Principal } from './principal.ts';

/** What a request to connect shows of itself. */
export type AccessRequest = {
  /** The header `Authorization`. */
  readonly authorization?: string | undefined;
  /** Every WebSocket subprotocol that was offered. */
  readonly protocols: readonly string[];
  /** The header `Origin`; browsers always send it, and other clients need not. */
  readonly origin?: string | undefined;
  /** The header `Host`: by which name the server was asked for. */
  readonly host?: string | undefined;
  readonly remoteAddress: string;
};

/** Says who may connect and hands out tokens. No message of its errors holds a key, a token or an origin. */
export type Access = {
  /** Whether there are no keys: whoever is on this machine may do everything, and nobody else anything. */
  readonly isOpen: boolean;
  /**
   * Returns who asks, by the key or token in the header `Authorization: Bearer …` or in a subprotocol `undertone.token.…`.
   * @throws UndertoneError ORIGIN_REFUSED, UNAUTHENTICATED, TOKEN_EXPIRED
   */
  readonly authenticate: (request: AccessRequest) => Promise<Principal>;
  /**
   * Returns a token for one session. It never lasts longer than `tokenMaxSeconds`, whatever is asked for.
   * @throws UndertoneError FORBIDDEN when it should carry `admin`
   * @throws RangeError without scopes, or for `seconds` that are not a number above 0
   */
  readonly issueToken: (grant: TokenGrant) => Promise<IssuedToken>;
};

type AccessConfig = Pick<ServerConfig, 'keys' | 'origins' | 'tokenSecret' | 'tokenMaxSeconds'>;

/** No key or token is longer, in characters; what is longer is not even hashed. */
const MAX_CREDENTIAL_CHARS = 4_096;
const OPEN_PRINCIPAL: Principal = { keyId: 'open', scopes: new Set<Scope>(['produce', 'consume', 'admin']) };

/** Creates the access control of one server. `now` is the wall clock in milliseconds since 1970. */
export function createAccess(config: AccessConfig, { now }: { readonly now: () => number }): Access {
  const isOpen = config.keys.length === 0;
  const tokens = createTokens(config, { now });
  const keys = config.keys.map((key) => ({
    hash: Buffer.from(key.sha256, 'hex'),
    principal: { keyId: key.id, scopes: new Set(key.scopes) } satisfies Principal,
  }));
  const findKey = (credential: string): Principal => {
    const hash = hashKey(credential);
    let found: Principal | undefined;
    // Every key is compared in full, so that the time tells nothing about which one was nearly right.
    for (const key of keys) if (timingSafeEqual(hash, key.hash)) found = key.principal;
    if (found === undefined) throw new UndertoneError('UNAUTHENTICATED', 'the key is not known here');
    return found;
  };
  return {
    isOpen,
    authenticate: async (request) => {
      checkOrigin(request.origin, config.origins, isOpen);
      if (isOpen) checkHost(request.host);
      if (isOpen && !isLoopbackAddress(request.remoteAddress))
        throw new UndertoneError('UNAUTHENTICATED', 'a server without keys answers its own machine only');
      const credential = credentialOf(request);
      if (credential === undefined && isOpen) return OPEN_PRINCIPAL;
      if (credential === undefined) throw new UndertoneError('UNAUTHENTICATED', 'no key or token was given');
      return isToken(credential) ? tokens.verify(credential) : findKey(credential);
    },
    issueToken: tokens.issue,
  };
}

/**
 * Passes when `principal` has `scope` and, where `session` is named, is not bound to another one. Without `session` a
 * token passes for its own session only; it must not make or list others.
 * @throws UndertoneError FORBIDDEN
 */
export function requireScope(principal: Principal, scope: Scope, session?: string): void {
  if (!principal.scopes.has(scope))
    throw new UndertoneError('FORBIDDEN', `it needs the scope ${scope}, which this key or token does not have`);
  if (session !== undefined && principal.session !== undefined && principal.session !== session)
    throw new UndertoneError('FORBIDDEN', 'the token is for another session');
}

/**
 * Passes unless `principal` may speak for one participant only and `participant` is another. To be asked of every message
 * that names one: to join, rename or give consent for others is as bad as to send their voice.
 * @throws UndertoneError FORBIDDEN
 */
export function requireParticipant(principal: Principal, participant: string): void {
  if (principal.participant !== undefined && principal.participant !== participant)
    throw new UndertoneError('FORBIDDEN', 'the token is for another participant');
}

/**
 * Refuses to listen where others can reach a server that has no keys.
 * @throws UndertoneError BAD_CONFIG
 */
export function assertSafeHost({ keys }: Pick<ServerConfig, 'keys'>, host: string): void {
  if (keys.length === 0 && !isLoopbackHost(host))
    throw new UndertoneError(
      'BAD_CONFIG',
      'without "keys" the server listens on localhost only; "undertone keys create" makes a key',
    );
}

/**
 * Pages may connect when their origin is listed. An open server also lets in pages of this machine, and no other: without
 * this, any page that its user visits could reach it.
 */
function checkOrigin(origin: string | undefined, allowed: readonly string[], isOpen: boolean): void {
  if (origin === undefined || allowed.includes(origin)) return;
  if (isOpen && URL.canParse(origin) && isLoopbackHost(new URL(origin).hostname)) return;
  throw new UndertoneError('ORIGIN_REFUSED', 'pages of this origin may not connect; "origins" lists those that may');
}

/**
 * An open server is asked by a name of this machine only. A page of elsewhere whose name was made to mean this machine (DNS
 * rebinding) is of one origin with us to its browser, which then sends no origin with a GET.
 */
function checkHost(host: string | undefined): void {
  if (host === undefined) return;
  const url = `http://${host}`;
  if (!URL.canParse(url) || !isLoopbackHost(new URL(url).hostname))
    throw new UndertoneError('ORIGIN_REFUSED', 'a server without keys is asked as localhost only');
}

/** The one key or token of a request. Two could be of different people, so they are refused. */
function credentialOf({ authorization, protocols }: AccessRequest): string | undefined {
  const found = protocols
    .filter((protocol) => protocol.startsWith(TOKEN_SUBPROTOCOL))
    .map((protocol) => protocol.slice(TOKEN_SUBPROTOCOL.length));
  if (authorization !== undefined) found.push(bearerOf(authorization));
  const [credential] = found;
  if (found.length > 1) throw new UndertoneError('UNAUTHENTICATED', 'more than one key or token was given');
  if (credential !== undefined && (credential === '' || credential.length > MAX_CREDENTIAL_CHARS))
    throw new UndertoneError('UNAUTHENTICATED', 'the key or token is empty or too long');
  return credential;
}

function bearerOf(authorization: string): string {
  const [scheme = '', credential = '', ...rest] = authorization.split(' ');
  if (scheme.toLowerCase() !== 'bearer' || rest.length > 0)
    throw new UndertoneError('UNAUTHENTICATED', 'the header Authorization must be "Bearer" and a key or token');
  return credential;
}

/** A token has three parts with dots between; a key has no dot. */
function isToken(credential: string): boolean {
  return credential.includes('.');
}
