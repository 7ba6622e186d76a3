import { SignJWT } from 'jose';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parseServerConfig, type Scope, type ServerConfig } from '../../src/config.ts';
import {
  type Access,
  type AccessRequest,
  assertSafeHost,
  createAccess,
  requireParticipant,
  requireScope,
} from '../../src/server/access.ts';
import { createKey, hashKey } from '../../src/server/keys.ts';
import { ERROR_CODES, type ErrorCode } from '../../src/errors.ts';
import type { LiveServer } from '../../src/server/liveServer.ts';
import type { TokenGrant } from '../../src/server/tokens.ts';
import { connectPeer, type LivePeer, producerWelcome } from '../support/livePeer.ts';
import { startTestServer } from '../support/liveServer.ts';

const NOW_MS = Date.UTC(2026, 10, 25, 12);
const SECRET = Buffer.alloc(32, 7);
const KEYS = { desk: createKey(), screen: createKey(), boss: createKey() };
const entryOf = (id: keyof typeof KEYS, scopes: Scope[]): object => ({
  id,
  sha256: hashKey(KEYS[id]).toString('hex'),
  scopes,
});
const CONFIG = parseServerConfig({
  keys: [entryOf('desk', ['produce', 'consume']), entryOf('screen', ['consume']), entryOf('boss', ['admin'])],
  origins: ['https://example.org'],
  tokenSecret: SECRET.toString('base64'),
});
const OPEN_CONFIG = parseServerConfig({ origins: ['https://example.org'] });
const GRANT: TokenGrant = { session: 's1', scopes: ['produce'] };

const accessAt = (nowMs: number, config: ServerConfig = CONFIG): Access => createAccess(config, { now: () => nowMs });
const askedBy = (request: Partial<AccessRequest>): AccessRequest => ({
  protocols: ['undertone.v1'],
  remoteAddress: '192.0.2.1',
  ...request,
});
const bearer = (credential: string): AccessRequest => askedBy({ authorization: `Bearer ${credential}` });
const tokenAt = async (nowMs: number, grant: TokenGrant = GRANT): Promise<string> =>
  (await accessAt(nowMs).issueToken(grant)).token;
const codeOf = (attempt: Promise<unknown>): Promise<string> =>
  attempt.then(
    () => 'let in',
    (error: unknown) => (error as { code: string }).code,
  );

/** A token with other claims or another signature than ours, but otherwise right. */
const forged = (claims: object, secret: Uint8Array = SECRET, alg = 'HS256'): Promise<string> => {
  const iat = NOW_MS / 1_000;
  const right = { aud: 'undertone.live', session: 's1', scopes: ['produce'], iat, exp: iat + 60 };
  return new SignJWT({ ...right, ...claims }).setProtectedHeader({ alg }).sign(secret);
};
const base64url = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url');
const withoutSignature = async (): Promise<string> => {
  const [, payload] = (await forged({})).split('.');
  return `${base64url({ alg: 'none' })}.${payload}.`;
};
const withOtherScopes = async (): Promise<string> => {
  const [header, , signature] = (await forged({})).split('.');
  const iat = NOW_MS / 1_000;
  const payload = { aud: 'undertone.live', session: 's1', scopes: ['produce', 'consume'], iat, exp: iat + 60 };
  return `${header}.${base64url(payload)}.${signature}`;
};
const embeddedKey = async (): Promise<string> => {
  const [, payload, signature] = (await forged({})).split('.');
  const jwk = { kty: 'oct', k: Buffer.alloc(32).toString('base64url') };
  return `${base64url({ alg: 'HS256', jwk })}.${payload}.${signature}`;
};

describe('a key', () => {
  it.each([
    ['desk', ['produce', 'consume']],
    ['screen', ['consume']],
    ['boss', ['admin']],
  ] as const)('of %s gives %j, in the header and in the subprotocol', async (id, scopes) => {
    const expected = { keyId: id, scopes: new Set(scopes) };
    const inProtocol = askedBy({ protocols: ['undertone.v1', `undertone.token.${KEYS[id]}`] });
    expect(await accessAt(NOW_MS).authenticate(bearer(KEYS[id]))).toEqual(expected);
    expect(await accessAt(NOW_MS).authenticate(inProtocol)).toEqual(expected);
  });

  it('is 32 random bytes behind a prefix, and never the same twice', () => {
    const keys = Array.from({ length: 100 }, createKey);
    expect(new Set(keys).size).toBe(100);
    for (const key of keys) expect(key).toMatch(/^ut_[A-Za-z0-9_-]{43}$/);
  });

  it('is hashed as SHA-256 of what is sent', () => {
    expect(hashKey('abc').toString('hex')).toBe('ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad');
  });
});

describe('a token', () => {
  it('gives its scopes in its session, and says until when', async () => {
    const grant: TokenGrant = { session: 's1', scopes: ['produce'], participant: 'p1', seconds: 60, keyId: 'desk' };
    const { token, expiresAtMs } = await accessAt(NOW_MS).issueToken(grant);
    expect(expiresAtMs).toBe(NOW_MS + 60_000);
    const principal = { keyId: 'desk', scopes: new Set(['produce']), session: 's1', participant: 'p1', expiresAtMs };
    expect(await accessAt(NOW_MS).authenticate(bearer(token))).toEqual(principal);
  });

  it('names no participant and no key when it was given none', async () => {
    const principal = await accessAt(NOW_MS).authenticate(bearer(await tokenAt(NOW_MS)));
    expect(principal).toEqual({
      keyId: 'token',
      scopes: new Set(['produce']),
      session: 's1',
      expiresAtMs: NOW_MS + 900_000,
    });
  });

  it.each([
    [0, 'let in'],
    [60_000, 'let in'],
    [64_999, 'let in'],
    [66_000, 'TOKEN_EXPIRED'],
    [1e12, 'TOKEN_EXPIRED'],
    [-4_000, 'let in'],
    [-6_000, 'UNAUTHENTICATED'],
  ])('of 60 s after %d ms: %s', async (afterMs, outcome) => {
    const token = await tokenAt(NOW_MS, { ...GRANT, seconds: 60 });
    expect(await codeOf(accessAt(NOW_MS + afterMs).authenticate(bearer(token)))).toBe(outcome);
  });

  it('lasts no longer than the configuration allows, whatever is asked for', async () => {
    const { expiresAtMs } = await accessAt(NOW_MS).issueToken({ ...GRANT, seconds: 1e9 });
    expect(expiresAtMs).toBe(NOW_MS + 900_000);
    const shorter = accessAt(NOW_MS + 100_000, { ...CONFIG, tokenMaxSeconds: 60 });
    expect(await codeOf(shorter.authenticate(bearer(await tokenAt(NOW_MS))))).toBe('TOKEN_EXPIRED');
  });

  it('cannot carry admin, nothing, or a time that is none', async () => {
    const access = accessAt(NOW_MS);
    await expect(access.issueToken({ ...GRANT, scopes: ['produce', 'admin'] })).rejects.toMatchObject({
      code: 'FORBIDDEN',
    });
    await expect(access.issueToken({ ...GRANT, scopes: [] })).rejects.toThrow(RangeError);
    for (const seconds of [0, -1, NaN])
      await expect(access.issueToken({ ...GRANT, seconds })).rejects.toThrow(RangeError);
  });

  it('is good on another server with the same secret, and on none with a random one', async () => {
    const { tokenSecret: _, ...alone } = CONFIG;
    const [first, second] = [accessAt(NOW_MS, alone), accessAt(NOW_MS, alone)];
    const { token } = await first.issueToken(GRANT);
    expect(await codeOf(first.authenticate(bearer(token)))).toBe('let in');
    expect(await codeOf(second.authenticate(bearer(token)))).toBe('UNAUTHENTICATED');
    expect(await codeOf(accessAt(NOW_MS).authenticate(bearer(await tokenAt(NOW_MS))))).toBe('let in');
  });

  it('goes with the key that it descends from', async () => {
    const token = await tokenAt(NOW_MS, { ...GRANT, keyId: 'desk' });
    const without = { ...CONFIG, keys: CONFIG.keys.filter(({ id }) => id !== 'desk') };
    expect(await codeOf(accessAt(NOW_MS).authenticate(bearer(token)))).toBe('let in');
    expect(await codeOf(accessAt(NOW_MS, without).authenticate(bearer(token)))).toBe('UNAUTHENTICATED');
  });
});

describe('who shows nothing good is refused', () => {
  it.each<[string, () => Promise<AccessRequest> | AccessRequest, string]>([
    ['no key', () => askedBy({}), 'UNAUTHENTICATED'],
    ['a wrong key', () => bearer(createKey()), 'UNAUTHENTICATED'],
    ['the hash of a key', () => bearer(hashKey(KEYS.desk).toString('hex')), 'UNAUTHENTICATED'],
    ['a key cut short', () => bearer(KEYS.desk.slice(0, -1)), 'UNAUTHENTICATED'],
    ['another case', () => bearer(KEYS.desk.toUpperCase()), 'UNAUTHENTICATED'],
    ['an empty key', () => bearer(''), 'UNAUTHENTICATED'],
    ['an empty subprotocol', () => askedBy({ protocols: ['undertone.token.'] }), 'UNAUTHENTICATED'],
    ['a huge key', () => bearer('x'.repeat(4_097)), 'UNAUTHENTICATED'],
    ['another scheme', () => askedBy({ authorization: `Basic ${KEYS.desk}` }), 'UNAUTHENTICATED'],
    ['a key without scheme', () => askedBy({ authorization: KEYS.desk }), 'UNAUTHENTICATED'],
    ['a key and a word', () => bearer(`${KEYS.desk} x`), 'UNAUTHENTICATED'],
    ['two keys', () => ({ ...bearer(KEYS.desk), protocols: [`undertone.token.${KEYS.screen}`] }), 'UNAUTHENTICATED'],
    ['loopback but no key', () => askedBy({ remoteAddress: '127.0.0.1' }), 'UNAUTHENTICATED'],
    ['an expired token', async () => bearer(await tokenAt(NOW_MS - 1_000_000)), 'TOKEN_EXPIRED'],
    ['an expired and tampered token', async () => bearer((await tokenAt(0)).slice(0, -3)), 'UNAUTHENTICATED'],
    ['a token without signature', async () => bearer(await withoutSignature()), 'UNAUTHENTICATED'],
    ['a token with other scopes', async () => bearer(await withOtherScopes()), 'UNAUTHENTICATED'],
    ['a token that brings its own key', async () => bearer(await embeddedKey()), 'UNAUTHENTICATED'],
    ['another secret', async () => bearer(await forged({}, Buffer.alloc(32, 8))), 'UNAUTHENTICATED'],
    ['another algorithm', async () => bearer(await forged({}, Buffer.alloc(64, 7), 'HS512')), 'UNAUTHENTICATED'],
    ['another audience', async () => bearer(await forged({ aud: 'other' })), 'UNAUTHENTICATED'],
    ['no audience', async () => bearer(await forged({ aud: undefined })), 'UNAUTHENTICATED'],
    ['no end', async () => bearer(await forged({ exp: undefined })), 'UNAUTHENTICATED'],
    ['no beginning', async () => bearer(await forged({ iat: undefined })), 'UNAUTHENTICATED'],
    ['not valid yet', async () => bearer(await forged({ nbf: NOW_MS / 1_000 + 60 })), 'UNAUTHENTICATED'],
    ['no session', async () => bearer(await forged({ session: undefined })), 'UNAUTHENTICATED'],
    ['an empty session', async () => bearer(await forged({ session: '' })), 'UNAUTHENTICATED'],
    ['a session that is no text', async () => bearer(await forged({ session: {} })), 'UNAUTHENTICATED'],
    ['scopes that are no list', async () => bearer(await forged({ scopes: 'produce' })), 'UNAUTHENTICATED'],
    ['no scopes', async () => bearer(await forged({ scopes: [] })), 'UNAUTHENTICATED'],
    ['the scope admin', async () => bearer(await forged({ scopes: ['produce', 'admin'] })), 'UNAUTHENTICATED'],
    ['a participant that is no text', async () => bearer(await forged({ participant: 1 })), 'UNAUTHENTICATED'],
    ['a key that is not there', async () => bearer(await forged({ sub: 'gone' })), 'UNAUTHENTICATED'],
    ['dots', () => bearer('..'), 'UNAUTHENTICATED'],
    ['many dots', () => bearer('.'.repeat(4_096)), 'UNAUTHENTICATED'],
  ])('%s', async (_, request, code) => {
    expect(await codeOf(accessAt(NOW_MS).authenticate(await request()))).toBe(code);
  });

  it('as the same forger is let in with claims that are right', async () => {
    expect(await codeOf(accessAt(NOW_MS).authenticate(bearer(await forged({}))))).toBe('let in');
  });

  it('with a documented code whatever is sent', async () => {
    const credentials = fc.oneof(fc.string(), fc.stringMatching(/^[A-Za-z0-9_-]{0,40}(\.[A-Za-z0-9_-]{0,40}){2}$/));
    await fc.assert(
      fc.asyncProperty(credentials, fc.boolean(), async (credential, isHeader) => {
        const request = isHeader ? bearer(credential) : askedBy({ protocols: [`undertone.token.${credential}`] });
        expect(await codeOf(accessAt(NOW_MS).authenticate(request))).toBe('UNAUTHENTICATED');
      }),
    );
  });

  it('without a word of what was sent', async () => {
    const expired = await tokenAt(NOW_MS - 1_000_000);
    for (const secret of [createKey(), expired, await forged({ aud: 'other' })]) {
      const refused = accessAt(NOW_MS).authenticate(bearer(secret));
      const error = await refused.then(
        () => new Error('let in'),
        (e: unknown) => e as Error,
      );
      expect(error.name).toBe('UndertoneError');
      const said = `${error.message} ${error.stack} ${JSON.stringify(error)}`;
      for (const part of [secret, ...secret.split('.')]) expect(said).not.toContain(part);
      expect(error.cause).toBeUndefined();
    }
  });
});

describe('the origin of a page', () => {
  it.each<[string | undefined, string]>([
    [undefined, 'let in'],
    ['https://example.org', 'let in'],
    ['http://example.org', 'ORIGIN_REFUSED'],
    ['https://example.org:8443', 'ORIGIN_REFUSED'],
    ['https://example.org.evil.test', 'ORIGIN_REFUSED'],
    ['https://sub.example.org', 'ORIGIN_REFUSED'],
    ['http://localhost:8080', 'ORIGIN_REFUSED'],
    ['null', 'ORIGIN_REFUSED'],
    ['', 'ORIGIN_REFUSED'],
  ])('%s with a good key: %s', async (origin, outcome) => {
    expect(await codeOf(accessAt(NOW_MS).authenticate({ ...bearer(KEYS.desk), origin }))).toBe(outcome);
  });
});

describe('a server without keys', () => {
  it.each<[string, Partial<AccessRequest>, string]>([
    ['this machine', { remoteAddress: '127.0.0.1' }, 'let in'],
    ['this machine by IPv6', { remoteAddress: '::1' }, 'let in'],
    ['this machine by IPv4 in IPv6', { remoteAddress: '::ffff:127.0.0.1' }, 'let in'],
    ['another machine', { remoteAddress: '192.0.2.1' }, 'UNAUTHENTICATED'],
    ['an address that nobody knows', { remoteAddress: '' }, 'UNAUTHENTICATED'],
    ['a page of this machine', { remoteAddress: '::1', origin: 'http://localhost:8080' }, 'let in'],
    ['a page of this machine by address', { remoteAddress: '::1', origin: 'http://[::1]:3000' }, 'let in'],
    ['a page that is listed', { remoteAddress: '::1', origin: 'https://example.org' }, 'let in'],
    ['any other page', { remoteAddress: '::1', origin: 'https://evil.test' }, 'ORIGIN_REFUSED'],
    ['a page that is called so', { remoteAddress: '::1', origin: 'https://localhost.evil.test' }, 'ORIGIN_REFUSED'],
    ['a page of a file', { remoteAddress: '::1', origin: 'null' }, 'ORIGIN_REFUSED'],
    ['a key, which it cannot know', { remoteAddress: '::1', authorization: 'Bearer ut_x' }, 'UNAUTHENTICATED'],
  ])('answers %s: %s', async (_, request, outcome) => {
    const access = accessAt(NOW_MS, OPEN_CONFIG);
    expect(access.isOpen).toBe(true);
    expect(await codeOf(access.authenticate(askedBy(request)))).toBe(outcome);
  });

  it.each([
    [undefined, 'let in'],
    ['127.0.0.1:8787', 'let in'],
    ['localhost', 'let in'],
    ['[::1]:8787', 'let in'],
    ['rebound.example:8787', 'ORIGIN_REFUSED'],
    ['localhost.example', 'ORIGIN_REFUSED'],
    ['192.0.2.7', 'ORIGIN_REFUSED'],
    ['', 'ORIGIN_REFUSED'],
    ['a b', 'ORIGIN_REFUSED'],
  ])('is asked as %j: %s, wherever its name leads to', async (host, outcome) => {
    const request = askedBy({ remoteAddress: '127.0.0.1', ...(host !== undefined && { host }) });
    expect(await codeOf(accessAt(NOW_MS, OPEN_CONFIG).authenticate(request))).toBe(outcome);
    expect(await codeOf(accessAt(NOW_MS).authenticate({ ...bearer(KEYS.desk), host }))).toBe('let in');
  });

  it('gives every scope to whoever shows nothing, and to a token its own alone', async () => {
    const access = accessAt(NOW_MS, OPEN_CONFIG);
    const here = askedBy({ remoteAddress: '127.0.0.1' });
    expect(await access.authenticate(here)).toEqual({
      keyId: 'open',
      scopes: new Set(['produce', 'consume', 'admin']),
    });
    const { token } = await access.issueToken({ ...GRANT, keyId: 'open' });
    const principal = await access.authenticate({ ...here, authorization: `bearer ${token}` });
    expect([...principal.scopes]).toEqual(['produce']);
    expect(principal.session).toBe('s1');
  });

  it.each([
    ['localhost', true],
    ['127.0.0.1', true],
    ['::1', true],
    ['0.0.0.0', false],
    ['::', false],
    ['192.0.2.1', false],
    ['', false],
  ])('may listen on "%s": %s', (host, isSafe) => {
    const refused = expect.objectContaining({ code: 'BAD_CONFIG' }) as Error;
    if (isSafe) expect(() => assertSafeHost(OPEN_CONFIG, host)).not.toThrow();
    else expect(() => assertSafeHost(OPEN_CONFIG, host)).toThrow(refused);
    expect(() => assertSafeHost(CONFIG, host)).not.toThrow();
  });
});

describe('what a principal may do', () => {
  const bound = { keyId: 'desk', scopes: new Set<Scope>(['consume']), session: 's1' };
  const { session: _, ...free } = bound;

  it.each<[string, typeof free, Scope, string | undefined, boolean]>([
    ['consume with that scope', free, 'consume', 's1', true],
    ['produce without that scope', free, 'produce', 's1', false],
    ['administer without that scope', free, 'admin', undefined, false],
    ['consume its session', bound, 'consume', 's1', true],
    ['consume what it is bound to', bound, 'consume', undefined, true],
    ['consume another session', bound, 'consume', 's2', false],
    ['consume a session without name', bound, 'consume', '', false],
    ['produce in its session without that scope', bound, 'produce', 's1', false],
    ['produce with admin alone', { ...free, scopes: new Set<Scope>(['admin']) }, 'produce', 's1', false],
  ])('%s', (__, principal, scope, session, isAllowed) => {
    const refused = expect.objectContaining({ code: 'FORBIDDEN' }) as Error;
    if (isAllowed) expect(() => requireScope(principal, scope, session)).not.toThrow();
    else expect(() => requireScope(principal, scope, session)).toThrow(refused);
  });

  it.each([
    [undefined, 'p1', true],
    ['p1', 'p1', true],
    ['p1', 'p2', false],
    ['p1', '', false],
    ['p1', 'P1', false],
  ])('bound to participant %s speaks for "%s": %s', (participant, other, isAllowed) => {
    const speaker = { ...free, ...(participant === undefined ? {} : { participant }) };
    const refused = expect.objectContaining({ code: 'FORBIDDEN' }) as Error;
    if (isAllowed) expect(() => requireParticipant(speaker, other)).not.toThrow();
    else expect(() => requireParticipant(speaker, other)).toThrow(refused);
  });

  it('follows from the token, from end to end', async () => {
    const token = await tokenAt(NOW_MS, { session: 's1', scopes: ['consume'] });
    const principal = await accessAt(NOW_MS).authenticate(bearer(token));
    expect(() => requireScope(principal, 'consume', 's1')).not.toThrow();
    expect(() => requireScope(principal, 'consume', 's2')).toThrow(/for another session/);
    expect(() => requireScope(principal, 'produce', 's1')).toThrow(/needs the scope produce/);
  });
});

describe('a live server refuses, over a socket and with the close code of the table,', () => {
  let server: LiveServer;
  const hello = { type: 'hello', v: 1, session: 's1', participants: [], streams: [] };
  const read = { type: 'hello', v: 1, session: 's1' };
  type Visit = { readonly token?: string; readonly path?: string; readonly hello?: object };
  const grant = async (more: Partial<TokenGrant> = {}, access: Access = server.access): Promise<string> =>
    (await access.issueToken({ session: 's1', scopes: ['produce'], ...more })).token;
  /** A visit that is let in, and what it was told. */
  const visit = async ({ token, path, hello: first = hello }: Visit): Promise<LivePeer> => {
    const peer = await connectPeer(server.url, { ...(token !== undefined && { token }), ...(path && { path }) });
    peer.say({ ...first });
    return peer;
  };
  /** A resume token that was good until the one that came with it was used. */
  const replayed = async (): Promise<Visit> => {
    const token = await grant();
    const first = await visit({ token, hello: { ...hello, session: 's1' } });
    const { resumeToken, epoch } = await producerWelcome(first);
    const resume = { token: resumeToken, epoch };
    const second = await visit({ token, hello: { ...hello, resume } });
    await producerWelcome(second);
    second.say({ type: 'ping', id: 1 });
    await second.next('pong');
    return { token, hello: { ...hello, resume } };
  };

  beforeAll(async () => {
    const keys = CONFIG.keys.map(({ id, sha256, scopes }) => ({ id, sha256, scopes }));
    server = await startTestServer({ keys, tokenSecret: CONFIG.tokenSecret, origins: CONFIG.origins });
    server.sessions.create({}, 's1');
    server.sessions.create({}, 's2');
  });
  afterAll(() => server.close());

  it.each<[string, ErrorCode, () => Promise<Visit>]>([
    ['no key', 'UNAUTHENTICATED', async () => ({})],
    ['a wrong key', 'UNAUTHENTICATED', async () => ({ token: createKey() })],
    ['an expired token', 'TOKEN_EXPIRED', async () => ({ token: await grant({}, accessAt(Date.now() - 1_000_000)) })],
    ['a token of another session', 'FORBIDDEN', async () => ({ token: await grant({ session: 's2' }) })],
    [
      'a token of another session that reads',
      'FORBIDDEN',
      async () => ({ token: await grant({ session: 's2', scopes: ['consume'] }), path: '/v1/feed', hello: read }),
    ],
    [
      'a token that may only consume, and produces',
      'FORBIDDEN',
      async () => ({ token: await grant({ scopes: ['consume'] }) }),
    ],
    ['a key that may only consume, and produces', 'FORBIDDEN', async () => ({ token: KEYS.screen })],
    [
      'a token that may only produce, and consumes',
      'FORBIDDEN',
      async () => ({ token: await grant(), path: '/v1/feed', hello: read }),
    ],
    ['a key that may do neither', 'FORBIDDEN', async () => ({ token: KEYS.boss })],
    ['a resume token that was used', 'RESUME_FAILED', replayed],
    [
      'a resume token that somebody made up',
      'RESUME_FAILED',
      async () => ({
        token: await grant(),
        hello: { ...hello, resume: { token: 'x'.repeat(43), epoch: server.sessions.get('s1').epoch } },
      }),
    ],
    [
      'a token of a session that is gone',
      'SESSION_NOT_FOUND',
      async () => ({ token: await grant({ session: 's3' }), hello: { ...hello, session: 's3' } }),
    ],
  ])('%s: %s', async (_, code, attempt) => {
    const peer = await visit(await attempt());
    expect(await peer.next('error')).toMatchObject({ code, isFatal: true, retryable: ERROR_CODES[code].retryable });
    expect((await peer.closed).code).toBe(ERROR_CODES[code].closeCode);
    expect(peer.said.map(({ type }) => type)).toEqual(['error']);
  });

  it.each<[string, () => Promise<Visit>]>([
    ['a token of the session', async () => ({ token: await grant() })],
    ['a key that may produce', async () => ({ token: KEYS.desk })],
    [
      'a token that may consume, and does',
      async () => ({ token: await grant({ scopes: ['consume'] }), path: '/v1/feed', hello: read }),
    ],
  ])('but lets in %s', async (_, attempt) => {
    const peer = await visit(await attempt());
    expect((await peer.next('welcome')).session).toBe('s1');
    peer.cut();
  });
});
