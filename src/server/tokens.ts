import { randomBytes } from 'node:crypto';
import { errors, type JWTPayload, jwtVerify, SignJWT } from 'jose';
import { type Scope, SCOPES, type ServerConfig } from '../config.ts';
import { UndertoneError } from '../errors.ts';
import type { Principal } from './principal.ts';

/** What a token lets its holder do, in one session, and for how long. */
export type TokenGrant = {
  readonly session: string;
  /** At least one; `admin` is for keys. */
  readonly scopes: readonly Scope[];
  /** The only participant that the holder speaks for. */
  readonly participant?: string;
  /** More than 0; default and most: `tokenMaxSeconds`. */
  readonly seconds?: number;
  /** The key that asked for it: when that key is gone, so is the token. */
  readonly keyId?: string;
};

/** A token, and when it ends, in milliseconds since 1970. */
export type IssuedToken = { readonly token: string; readonly expiresAtMs: number };

/** Makes tokens and reads them. */
export type Tokens = {
  /** @throws UndertoneError FORBIDDEN, RangeError; see {@link TokenGrant} */
  readonly issue: (grant: TokenGrant) => Promise<IssuedToken>;
  /** @throws UndertoneError UNAUTHENTICATED or, when it is genuine and too old, TOKEN_EXPIRED */
  readonly verify: (token: string) => Promise<Principal>;
};

type TokenConfig = Pick<ServerConfig, 'keys' | 'tokenSecret' | 'tokenMaxSeconds'>;

/** Who tokens are for; a token that the same secret signed for something else is none of ours. */
const AUDIENCE = 'undertone.live';
/** Pinned: a token does not choose how it is checked. */
const ALGORITHM = 'HS256';
/** By how much the clocks of two servers may differ. */
const CLOCK_SKEW_SECONDS = 5;
const SECRET_BYTES = 32;

/** Creates the tokens of one server: signed, not encrypted, and good for `tokenMaxSeconds` at most. */
export function createTokens(config: TokenConfig, { now }: { readonly now: () => number }): Tokens {
  const secret =
    config.tokenSecret === undefined ? randomBytes(SECRET_BYTES) : Buffer.from(config.tokenSecret, 'base64');
  const keyIds = new Set(config.keys.map(({ id }) => id));
  return {
    issue: async ({ session, scopes, participant, seconds = config.tokenMaxSeconds, keyId }) => {
      assertGrant(scopes, seconds);
      const issuedAt = Math.floor(now() / 1_000);
      const expiresAt = issuedAt + Math.max(1, Math.floor(Math.min(seconds, config.tokenMaxSeconds)));
      const token = await new SignJWT({ session, scopes, participant, ...(keyId === undefined ? {} : { sub: keyId }) })
        .setProtectedHeader({ alg: ALGORITHM })
        .setAudience(AUDIENCE)
        .setIssuedAt(issuedAt)
        .setExpirationTime(expiresAt)
        .sign(secret);
      return { token, expiresAtMs: expiresAt * 1_000 };
    },
    verify: async (token) => {
      const options = {
        algorithms: [ALGORITHM],
        audience: AUDIENCE,
        requiredClaims: ['exp', 'iat'],
        maxTokenAge: config.tokenMaxSeconds,
        clockTolerance: CLOCK_SKEW_SECONDS,
        currentDate: new Date(now()),
      };
      const { payload } = await jwtVerify(token, secret, options).catch(refuse);
      if (keyIds.size > 0 && payload.sub !== undefined && !keyIds.has(payload.sub))
        throw new UndertoneError('UNAUTHENTICATED', 'the key that the token descends from is gone');
      const principal = toPrincipal(payload);
      if (principal === undefined) throw new UndertoneError('UNAUTHENTICATED', 'the token lacks a claim');
      return principal;
    },
  };
}

function assertGrant(scopes: readonly Scope[], seconds: number): void {
  if (scopes.includes('admin')) throw new UndertoneError('FORBIDDEN', 'a token cannot carry the scope admin');
  if (scopes.length === 0) throw new RangeError('scopes must name at least one scope');
  if (!(seconds > 0)) throw new RangeError(`seconds must be a number above 0, not ${seconds}`);
}

/** The cause is left out, because it holds what the token says. The age is checked after the signature. */
function refuse(error: unknown): never {
  if (error instanceof errors.JWTExpired)
    throw new UndertoneError('TOKEN_EXPIRED', 'the token is too old; ask for a new one');
  throw new UndertoneError('UNAUTHENTICATED', 'the token is not one of ours');
}

function toPrincipal(payload: JWTPayload): Principal | undefined {
  const { session, scopes, participant, sub, exp } = payload;
  if (typeof session !== 'string' || session === '' || !Array.isArray(scopes) || exp === undefined) return undefined;
  if (participant !== undefined && typeof participant !== 'string') return undefined;
  const granted = SCOPES.filter((scope) => scope !== 'admin' && scopes.includes(scope));
  if (granted.length === 0 || granted.length !== scopes.length) return undefined;
  return {
    keyId: sub ?? 'token',
    scopes: new Set(granted),
    session,
    ...(participant === undefined ? {} : { participant }),
    expiresAtMs: exp * 1_000,
  };
}
