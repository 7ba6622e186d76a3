import { describe, expect, it } from 'vitest';
import { connect } from '../../src/client/connect.ts';
import type { Status } from '../../src/client/status.ts';
import { ERROR_CODES, type ErrorCode } from '../../src/errors.ts';
import { startFakeLiveServer } from '../support/fakeLiveServer.ts';
import { statusOf, useHarness } from './harness.ts';

const harness = useHarness();
const STREAMS = [{ streamId: 'captions', kind: 'captions' }] as const;

function produce(options: object = {}) {
  return harness.closing(connect({ ...harness.endpoint, streams: STREAMS, ...options })).producer;
}

describe('the status of a connection', () => {
  it('goes from connecting to live, reconnecting, resumed and closed', async () => {
    const producer = produce();
    const story: Status[] = [producer.status];
    producer.on('status', (status) => story.push(status));
    const first = await harness.server.connection();
    await first.welcomeProducer();
    await statusOf(producer, 'live');
    harness.clock.advance(4_000);
    first.cut();
    await statusOf(producer, 'reconnecting');
    harness.clock.advance(500);
    await (await harness.server.connection()).welcomeProducer({ isResumed: true, resumeToken: 'r2' });
    await statusOf(producer, 'resumed');
    producer.close();
    expect(story).toEqual([
      { state: 'connecting', attempt: 1 },
      { state: 'live', session: 's1', epoch: 1 },
      { state: 'reconnecting', sinceMs: 5_000, attempt: 2, closeCode: 1_006 },
      { state: 'resumed', session: 's1', epoch: 1 },
      { state: 'closed', closeCode: 1_000 },
    ]);
  });

  it('asks for the protocol and brings the token beside it, never in the URL', async () => {
    produce({ token: 'abc.def-1' });
    const { path, protocols } = await harness.server.connection();
    expect(path).toBe('/v1/stream');
    expect(protocols).toEqual(['undertone.v1', 'undertone.token.abc.def-1']);
  });

  it('gets a fresh token for each attempt', async () => {
    let count = 0;
    const producer = produce({ token: async (role: string) => `${role}${++count}` });
    const first = await harness.server.connection();
    expect(first.protocols[1]).toBe('undertone.token.produce1');
    first.close(1_001);
    await statusOf(producer, 'connecting');
    await expect.poll(() => harness.clock.pendingMs).toEqual([375]);
    harness.clock.advance(375);
    expect((await harness.server.connection()).protocols[1]).toBe('undertone.token.produce2');
  });

  it('tries again when no token is to be had, and says why', async () => {
    let isDown = false;
    const producer = produce({
      token: () => {
        if (isDown) throw new Error('the token service is down');
        return 'good';
      },
    });
    const first = await harness.server.connection();
    await first.welcomeProducer();
    await statusOf(producer, 'live');
    isDown = true;
    first.cut();
    await statusOf(producer, 'reconnecting');
    const noToken = new Promise<Status>((resolve) => producer.on('status', resolve));
    harness.clock.advance(500);
    expect(await noToken).toMatchObject({ state: 'reconnecting', attempt: 3, code: 'UNAUTHENTICATED' });
    isDown = false;
    harness.clock.advance(1_000);
    await (await harness.server.connection()).welcomeProducer({ isResumed: true });
    await statusOf(producer, 'resumed');
  });

  it('waits longer after each failure, with a random half, up to a cap, and begins anew after a long good time', async () => {
    const producer = produce({ backoff: { baseMs: 100, maxMs: 1_000 } });
    const waits: number[] = [];
    for (let failure = 0; failure < 6; failure++) {
      const connection = await harness.server.connection();
      connection.cut();
      await connection.closed;
      await expect.poll(() => harness.clock.pendingMs[0]).toBeLessThan(1_000);
      waits.push(harness.clock.pendingMs[0] ?? NaN);
      harness.clock.advance(waits.at(-1) ?? 0);
    }
    expect(waits).toEqual([75, 150, 300, 600, 750, 750]);
    const good = await harness.server.connection();
    await good.welcomeProducer({ heartbeatMs: 60_000 });
    await statusOf(producer, 'live');
    harness.clock.advance(10_000);
    good.cut();
    await statusOf(producer, 'reconnecting');
    expect(harness.clock.pendingMs).toEqual([75]);
  });

  it('gives up an attempt that gets no welcome', async () => {
    const producer = produce({ welcomeWithinMs: 2_000 });
    const first = await harness.server.connection();
    await first.next();
    harness.clock.advance(2_000);
    expect(await first.closed).toBe(4_408);
    expect(producer.status).toEqual({ state: 'connecting', attempt: 2 });
  });

  it('says that nobody answers, in each attempt that reaches nobody, until somebody does', async () => {
    const nobody = await startFakeLiveServer();
    await nobody.close();
    const producer = produce({ url: nobody.url, giveUpMs: 5_000, backoff: { baseMs: 4_000, maxMs: 4_000 } });
    await expect.poll(() => producer.status).toEqual({ state: 'connecting', attempt: 2, code: 'UNREACHABLE' });
    harness.clock.advance(3_000);
    await expect.poll(() => producer.status).toEqual({ state: 'connecting', attempt: 3, code: 'UNREACHABLE' });
    harness.clock.advance(3_000);
    expect(await statusOf(producer, 'closed')).toMatchObject({ closeCode: 1_006, error: { code: 'UNREACHABLE' } });
  });

  it('gives up with the reason that the server gave last, when it gave one', async () => {
    const producer = produce({ giveUpMs: 1_000, backoff: { baseMs: 4_000, maxMs: 4_000 } });
    for (const [index, waitMs] of [3_000, 0].entries()) {
      const connection = await harness.server.connection();
      connection.send({ type: 'error', code: 'RATE_LIMITED', message: 'wait', retryable: true, isFatal: true });
      connection.close(4_429);
      if (index === 0) await statusOf(producer, 'connecting');
      if (index === 0) await expect.poll(() => harness.clock.pendingMs).toEqual([waitMs]);
      harness.clock.advance(waitMs);
    }
    expect(await statusOf(producer, 'closed')).toMatchObject({ error: { code: 'RATE_LIMITED' } });
  });

  it('gives up for good as UNREACHABLE after the time it was given', async () => {
    const producer = produce({ giveUpMs: 1_000, backoff: { baseMs: 2_000, maxMs: 2_000 } });
    (await harness.server.connection()).cut();
    await expect.poll(() => harness.clock.pendingMs).toEqual([1_500]);
    harness.clock.advance(1_500);
    (await harness.server.connection()).cut();
    const { error, closeCode } = await statusOf(producer, 'closed');
    expect([error?.code, closeCode]).toEqual(['UNREACHABLE', 1_006]);
    await expect(producer.ready()).rejects.toMatchObject({ code: 'UNREACHABLE' });
  });

  it('finds out that the other end is gone when nothing comes for three heartbeats', async () => {
    const producer = produce();
    const first = await harness.server.connection();
    await first.welcomeProducer({ heartbeatMs: 5_000 });
    await statusOf(producer, 'live');
    first.stall();
    harness.clock.advance(14_999);
    expect(producer.status.state).toBe('live');
    harness.clock.advance(1);
    expect(producer.status).toMatchObject({ state: 'reconnecting', closeCode: 4_408 });
  });

  it('pings at each heartbeat, and stays as long as anything comes', async () => {
    const producer = produce();
    const connection = await harness.server.connection();
    await connection.welcomeProducer({ heartbeatMs: 5_000 });
    await statusOf(producer, 'live');
    for (let id = 0; id < 6; id++) {
      harness.clock.advance(5_000);
      expect(await connection.next()).toEqual({ type: 'ping', id });
      const answered = new Promise((resolve) => producer.on('error', resolve));
      connection.send(
        { type: 'pong', id, clockMs: 0 },
        { type: 'error', code: 'BAD_FRAME', message: 'one', retryable: false, isFatal: false },
      );
      await answered;
    }
    expect(producer.status.state).toBe('live');
  });
});

const FINAL = (Object.keys(ERROR_CODES) as ErrorCode[]).filter(
  (code) => !ERROR_CODES[code].retryable && code !== 'RESUME_FAILED',
);

describe('the end of a connection', () => {
  it.each(FINAL)('is final after %s, with the code', async (code) => {
    const producer = produce();
    const connection = await harness.server.connection();
    await connection.welcomeProducer();
    await statusOf(producer, 'live');
    const { closeCode } = ERROR_CODES[code];
    connection.send({ type: 'error', code, message: 'no', retryable: false, isFatal: true });
    connection.close(closeCode);
    expect(await statusOf(producer, 'closed')).toMatchObject({ closeCode, error: { code, message: 'no' } });
    expect(harness.clock.pendingMs).toEqual([]);
  });

  it.each<[number, ErrorCode]>([
    [4_400, 'BAD_MESSAGE'],
    [4_401, 'UNAUTHENTICATED'],
    [4_403, 'FORBIDDEN'],
    [4_404, 'SESSION_NOT_FOUND'],
    [4_410, 'SESSION_ENDED'],
    [1_009, 'MESSAGE_TOO_BIG'],
    [1_011, 'INTERNAL'],
    [4_999, 'INTERNAL'],
    [1_008, 'INTERNAL'],
  ])('is final after close code %i without a word, as %s', async (closeCode, code) => {
    const producer = produce();
    (await harness.server.connection()).close(closeCode);
    expect(await statusOf(producer, 'closed')).toMatchObject({ closeCode, error: { code } });
  });

  it.each([1_000, 1_001, 1_012, 1_013, 4_408])('is no end after close code %i: it comes back', async (closeCode) => {
    const producer = produce();
    const first = await harness.server.connection();
    await first.welcomeProducer();
    await statusOf(producer, 'live');
    first.close(closeCode);
    expect(await statusOf(producer, 'reconnecting')).toMatchObject({ closeCode });
    harness.clock.advance(375);
    await harness.server.connection();
  });

  it('is not decided by a code it does not know, but by what the server says of it', async () => {
    const producer = produce();
    const first = await harness.server.connection();
    await first.welcomeProducer();
    await statusOf(producer, 'live');
    first.send({ type: 'error', code: 'NEW_IN_2030', message: 'later', retryable: true, isFatal: true });
    first.close(4_999);
    await statusOf(producer, 'reconnecting');
    harness.clock.advance(375);
    const second = await harness.server.connection();
    second.send({ type: 'error', code: 'NEW_IN_2031', message: 'never', retryable: false, isFatal: true });
    second.close(1_001);
    expect(await statusOf(producer, 'closed')).toMatchObject({ error: { code: 'INTERNAL', message: 'never' } });
  });

  it('is final for an expired token unless a fresh one can be had', async () => {
    const expired = { type: 'error', code: 'TOKEN_EXPIRED', message: 'old', retryable: true, isFatal: true };
    const fixed = produce({ token: 'old' });
    const refused = await harness.server.connection();
    refused.send(expired);
    refused.close(4_401);
    expect(await statusOf(fixed, 'closed')).toMatchObject({ error: { code: 'TOKEN_EXPIRED' } });
    produce({ token: () => 'fresh' });
    const again = await harness.server.connection();
    again.send(expired);
    again.close(4_401);
    await expect.poll(() => harness.clock.pendingMs).toEqual([375]);
    harness.clock.advance(375);
    expect((await harness.server.connection()).protocols).toContain('undertone.token.fresh');
  });

  it('says the reason when the server ended the session, without an error', async () => {
    const producer = produce();
    const connection = await harness.server.connection();
    await connection.welcomeProducer();
    connection.send({ type: 'ended', reason: 'length' });
    connection.close(1_000);
    expect(await statusOf(producer, 'closed')).toEqual({ state: 'closed', closeCode: 1_000, reason: 'length' });
  });

  it('is BAD_MESSAGE when the welcome lacks what is needed', async () => {
    const producer = produce();
    const connection = await harness.server.connection();
    await connection.welcomeProducer({ ringMs: NaN });
    expect(await connection.closed).toBe(4_400);
    expect(await statusOf(producer, 'closed')).toMatchObject({ error: { code: 'BAD_MESSAGE' } });
  });

  it('comes later when the runtime does not let the socket be, and it is tried again until then', async () => {
    class Refused {
      constructor() {
        throw new Error('mixed content');
      }
    }
    const producer = produce({ WebSocket: Refused, giveUpMs: 100 });
    await expect.poll(() => harness.clock.pendingMs).toEqual([375]);
    harness.clock.advance(375);
    expect(await statusOf(producer, 'closed')).toMatchObject({ closeCode: 1_006, error: { code: 'UNREACHABLE' } });
  });

  it('comes at once when we close, whatever was going on', async () => {
    const producer = produce();
    const connection = await harness.server.connection();
    producer.close();
    producer.close();
    expect(producer.status).toEqual({ state: 'closed', closeCode: 1_000 });
    expect(harness.clock.pendingMs).toEqual([]);
    expect(await connection.closed).toBeGreaterThanOrEqual(1_000);
    await expect(producer.ready()).rejects.toMatchObject({ code: 'GOING_AWAY' });
  });
});

describe('connect', () => {
  it.each<[string, object]>([
    ['url', { url: 'https://example.org' }],
    ['url', { url: 'no' }],
    ['url', { url: 'wss://example.org/?token=x' }],
    ['token', { token: 'two words' }],
    ['backoff.baseMs', { backoff: { baseMs: 0, maxMs: 1 } }],
    ['backoff.maxMs', { backoff: { baseMs: 1, maxMs: NaN } }],
    ['welcomeWithinMs', { welcomeWithinMs: 0 }],
    ['giveUpMs', { giveUpMs: -1 }],
    ['maxRingBytes', { maxRingBytes: 0 }],
    ['highWaterBytes', { highWaterBytes: NaN }],
    ['streams', { streams: [] }],
    ['streams', { streams: [STREAMS[0], STREAMS[0]] }],
    ['participants', { participant: { id: 'a', name: 'A' }, participants: [{ id: 'a', name: 'B' }] }],
    ['participant', { streams: [{ ...STREAMS[0], participant: 'nobody' }] }],
    ['maxQueued', { consume: { maxQueued: 0 } }],
    ['after', { consume: { after: -1 } }],
  ])('throws when %s breaks its rule, and opens nothing', (name, options) => {
    expect(() => produce(options)).toThrow(new RegExp(`^${name}( of a stream)? must`));
    expect(harness.clock.pendingMs).toEqual([]);
  });

  it('keeps the path of the URL', async () => {
    produce({ url: `${harness.server.url}/undertone/` });
    expect((await harness.server.connection()).path).toBe('/undertone/v1/stream');
  });
});
