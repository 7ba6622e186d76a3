import { describe, expect, it } from 'vitest';
import { connect, type Consumer } from '../../src/client/connect.ts';
import { InsightQueue } from '../../src/client/insightQueue.ts';
import type { Insight, InterimInsight } from '../../src/domain/insight.ts';
import { encodeInsight } from '../../src/protocol/insight.ts';
import { decodeConsumerMessage } from '../../src/protocol/liveSchema.ts';
import type { FakeConnection } from '../support/fakeLiveServer.ts';
import { modalityInsight, sampleSession, sampleUtterance } from '../support/sampleInsights.ts';
import { statusOf, useHarness } from './harness.ts';

const harness = useHarness();

function consume(options: object = {}): Consumer {
  return harness.closing(connect({ ...harness.endpoint, session: 's1', ...options })).consumer;
}

const insight = (seq: number): Insight => ({
  ...modalityInsight({ atMs: seq, modality: 'text', state: 'present' }),
  seq,
});
const interim = (seq: number, streamId = 'asr'): InterimInsight => ({
  type: 'interim',
  seq,
  atMs: seq,
  streamId,
  startMs: 0,
  endMs: 1,
  text: 'x',
});
const sendInsights = (connection: FakeConnection, ...seqs: readonly number[]): void =>
  connection.send(...seqs.map((seq) => encodeInsight(insight(seq))));

async function readAll(consumer: Consumer): Promise<readonly Insight[]> {
  const all: Insight[] = [];
  for await (const one of consumer) all.push(one);
  return all;
}

/** Collects the `seq` of what comes, and waits for one of them. */
function collect(consumer: Consumer) {
  const seqs: number[] = [];
  consumer.on('insight', ({ seq }) => seqs.push(seq));
  return { seqs, until: (seq: number) => expect.poll(() => seqs).toContain(seq) };
}

describe('a consumer', () => {
  it('asks for its session from the beginning, or after what it knows', async () => {
    consume({ token: 't' });
    const first = await harness.server.connection();
    expect([first.path, first.protocols[1]]).toEqual(['/v1/feed', 'undertone.token.t']);
    const hello = await first.next();
    expect(hello).toEqual({ type: 'hello', v: 1, session: 's1' });
    expect(decodeConsumerMessage(JSON.stringify(hello)).ok).toBe(true);
    consume({ after: 41, session: undefined });
    expect(await (await harness.server.connection()).next()).toEqual({ type: 'hello', v: 1, after: 41 });
  });

  it('gives every insight of a session as it was sent, to listeners and to a loop', async () => {
    const consumer = consume();
    const heard: Insight[] = [];
    consumer.on('insight', (one) => heard.push(one));
    const loop = readAll(consumer);
    const connection = await harness.server.connection();
    await connection.welcomeConsumer();
    const sent = sampleSession();
    connection.send(...sent.map(encodeInsight), { type: 'ended', reason: 'bye' });
    connection.close(1_000);
    const looped = await loop;
    expect(looped).toEqual(heard);
    expect(looped.map(({ v: _v, ...rest }: Insight & { v?: number }) => encodeInsight(rest))).toEqual(
      sent.map(encodeInsight),
    );
    expect(await consumer.ended()).toEqual({ state: 'closed', closeCode: 1_000, reason: 'bye' });
    expect(consumer.counts).toMatchObject({ received: sent.length, duplicates: 0, queued: 0 });
  });

  it('goes on after a drop where it was, and discards what comes twice', async () => {
    const consumer = consume();
    const { seqs, until } = collect(consumer);
    const first = await harness.server.connection();
    await first.welcomeConsumer();
    sendInsights(first, 1, 2, 3);
    await until(3);
    first.cut();
    await statusOf(consumer, 'reconnecting');
    harness.clock.advance(500);
    const second = await harness.server.connection();
    expect(await second.welcomeConsumer({ nextSeq: 4 })).toMatchObject({ after: 3 });
    await statusOf(consumer, 'resumed');
    sendInsights(second, 2, 3, 4, 4, 5);
    await until(5);
    expect(seqs).toEqual([1, 2, 3, 4, 5]);
    expect(consumer.counts).toMatchObject({ received: 5, duplicates: 3 });
    expect(consumer.lastSeq).toBe(5);
  });

  it('says what it will not get, and does not ask for it again', async () => {
    const consumer = consume();
    const { until } = collect(consumer);
    const missed: unknown[] = [];
    consumer.on('missed', (message) => missed.push(message));
    const first = await harness.server.connection();
    await first.welcomeConsumer({ nextSeq: 11 });
    const gap = { type: 'missed', fromSeq: 1, toSeq: 10, reason: 'backlog' };
    first.send(gap);
    sendInsights(first, 11);
    await until(11);
    first.send({ ...gap, fromSeq: 12, toSeq: 13, reason: 'coalesced' });
    await expect.poll(() => missed).toEqual([gap, { ...gap, fromSeq: 12, toSeq: 13, reason: 'coalesced' }]);
    expect(consumer.counts.missed).toBe(12);
    first.close(1_013);
    await statusOf(consumer, 'reconnecting');
    harness.clock.advance(500);
    expect(await (await harness.server.connection()).next()).toMatchObject({ after: 13 });
  });

  it('asks from the beginning when the server counts anew', async () => {
    const consumer = consume();
    const { seqs, until } = collect(consumer);
    const first = await harness.server.connection();
    await first.welcomeConsumer();
    sendInsights(first, 1, 2);
    await until(2);
    first.cut();
    await statusOf(consumer, 'reconnecting');
    harness.clock.advance(500);
    const second = await harness.server.connection();
    await second.welcomeConsumer({ epoch: 2, nextSeq: 3 });
    const third = await harness.server.connection();
    expect(await third.welcomeConsumer({ epoch: 2 })).not.toHaveProperty('after');
    await statusOf(consumer, 'live');
    sendInsights(third, 1, 2, 3);
    await until(3);
    expect(seqs).toEqual([1, 2, 1, 2, 3]);
  });

  it('asks from the beginning when a session of the same epoch has not come to what it knows', async () => {
    const consumer = consume({ after: 41 });
    const { seqs, until } = collect(consumer);
    const first = await harness.server.connection();
    expect(await first.welcomeConsumer({ nextSeq: 4 })).toMatchObject({ after: 41 });
    const second = await harness.server.connection();
    expect(await second.welcomeConsumer()).not.toHaveProperty('after');
    sendInsights(second, 1, 2, 3, 4);
    await until(4);
    expect(seqs).toEqual([1, 2, 3, 4]);
  });

  it('passes over what it does not know or cannot use', async () => {
    const consumer = consume();
    const { seqs, until } = collect(consumer);
    const connection = await harness.server.connection();
    await connection.welcomeConsumer();
    connection.send(
      '{',
      'null',
      { type: 'hologram', seq: 1, atMs: 0 },
      { type: 'utterance', seq: 2, atMs: 0 },
      { type: 'modality', seq: -1, atMs: 0, modality: 'text', state: 'present' },
      { type: 'constructor' },
      { type: 'welcome' },
      { ...insight(3), future: true },
    );
    await until(3);
    expect(seqs).toEqual([3]);
  });

  it('throws in the loop what the connection was closed with, after what had come', async () => {
    const consumer = consume();
    const seqs: number[] = [];
    const loop = (async () => {
      for await (const { seq } of consumer) seqs.push(seq);
    })();
    const connection = await harness.server.connection();
    await connection.welcomeConsumer();
    sendInsights(connection, 1, 2);
    connection.send({ type: 'error', code: 'FORBIDDEN', message: 'no', retryable: false, isFatal: true });
    connection.close(4_403);
    await expect(loop).rejects.toMatchObject({ name: 'UndertoneError', code: 'FORBIDDEN' });
    expect(seqs).toEqual([1, 2]);
  });

  it('allows one loop at a time, and a new one after the old one was left', async () => {
    const consumer = consume();
    const first = consumer[Symbol.asyncIterator]();
    expect(() => consumer[Symbol.asyncIterator]()).toThrow(TypeError);
    const connection = await harness.server.connection();
    await connection.welcomeConsumer();
    sendInsights(connection, 1);
    expect((await first.next()).value).toMatchObject({ seq: 1 });
    await first.return();
    const second = consumer[Symbol.asyncIterator]();
    sendInsights(connection, 2);
    expect((await second.next()).value).toMatchObject({ seq: 2 });
    consumer.close();
    expect(await second.next()).toEqual({ done: true, value: undefined });
    expect(await connection.next()).toEqual({ type: 'bye' });
  });

  it('pauses the connection when a loop is too slow, and goes on without a hole once it has caught up', async () => {
    const consumer = consume({ maxQueued: 4 });
    const loop = consumer[Symbol.asyncIterator]();
    const first = await harness.server.connection();
    await first.welcomeConsumer();
    sendInsights(first, 1, 2, 3, 4, 5, 6);
    await first.closed;
    expect(consumer.counts.queued).toBe(4);
    expect(consumer.status).toMatchObject({ state: 'reconnecting', closeCode: 1_000 });
    const seqs: number[] = [];
    const read = async (): Promise<void> => {
      const { value } = await loop.next();
      if (value) seqs.push(value.seq);
    };
    await read();
    expect(consumer.status.state).toBe('reconnecting');
    await read();
    const second = await harness.server.connection();
    expect(await second.welcomeConsumer({ nextSeq: 5 })).toMatchObject({ after: 4 });
    sendInsights(second, 5, 6);
    for (let index = 0; index < 4; index++) await read();
    expect(seqs).toEqual([1, 2, 3, 4, 5, 6]);
  });
});

describe('a producer that also consumes', () => {
  const streams = [{ streamId: 'words', kind: 'captions' }] as const;

  it('opens the feed once the server has said the session', async () => {
    const call = harness.closing(connect({ ...harness.endpoint, streams, consume: true }));
    const stream = await harness.server.connection();
    expect(stream.path).toBe('/v1/stream');
    expect(harness.server.count).toBe(1);
    await stream.welcomeProducer({ session: 'made-up' });
    const feed = await harness.server.connection();
    expect(feed.path).toBe('/v1/feed');
    expect(await feed.welcomeConsumer()).toMatchObject({ session: 'made-up' });
    await call.consumer.ready();
  });

  it('looks again for a session that the server has forgotten, as long as the producer may bring it back', async () => {
    const { producer, consumer } = harness.closing(connect({ ...harness.endpoint, streams, consume: true }));
    await (await harness.server.connection()).welcomeProducer();
    const notFound = { type: 'error', code: 'SESSION_NOT_FOUND', message: 'no', retryable: false, isFatal: true };
    const first = await harness.server.connection();
    first.send(notFound);
    first.close(4_404);
    await expect.poll(() => consumer.status).toEqual({ state: 'connecting', attempt: 2, code: 'SESSION_NOT_FOUND' });
    harness.clock.advance(500);
    const second = await harness.server.connection();
    producer.close();
    second.send(notFound);
    second.close(4_404);
    expect(await consumer.ended()).toMatchObject({ error: { code: 'SESSION_NOT_FOUND' } });
  });

  it('comes back as soon as the producer has, however long it would have waited', async () => {
    const backoff = { baseMs: 1_000, maxMs: 60_000 };
    const { producer, consumer } = harness.closing(connect({ ...harness.endpoint, streams, backoff, consume: true }));
    const stream = await harness.server.connection();
    await stream.welcomeProducer();
    const feed = await harness.server.connection();
    await feed.welcomeConsumer({ heartbeatMs: 60_000 });
    await consumer.ready();
    for (const [failure, waitMs] of [750, 1_500, 3_000].entries()) {
      const one = failure === 0 ? feed : await harness.server.connection();
      one.cut();
      await expect.poll(() => consumer.status).toMatchObject({ state: 'reconnecting', attempt: failure + 2 });
      expect(harness.clock.pendingMs).toContain(waitMs);
      if (waitMs < 3_000) harness.clock.advance(waitMs);
    }
    stream.cut();
    await statusOf(producer, 'reconnecting');
    harness.clock.advance(750);
    await (await harness.server.connection()).welcomeProducer({ isResumed: true });
    const again = await harness.server.connection();
    expect(again.path).toBe('/v1/feed');
    await again.welcomeConsumer();
    await statusOf(consumer, 'resumed');
  });

  it('closes the feed with the error of the producer when there never is a session', async () => {
    const { consumer } = harness.closing(connect({ ...harness.endpoint, streams, consume: {} }));
    const loop = readAll(consumer);
    (await harness.server.connection()).close(4_401);
    await expect(loop).rejects.toMatchObject({ code: 'UNAUTHENTICATED' });
    await expect(consumer.ready()).rejects.toMatchObject({ code: 'UNAUTHENTICATED' });
    expect(harness.server.count).toBe(1);
  });
});

describe('the queue of a loop', () => {
  it('lets go of what later insights replace, only when it is full, and of nothing else', () => {
    const queue = new InsightQueue(6);
    const pushed = [
      interim(1),
      sampleUtterance({ seq: 2, utteranceId: 'a', status: 'provisional' }),
      interim(3, 'other'),
      interim(4),
      insight(5),
    ];
    expect(pushed.map((one) => queue.push(one))).toEqual([0, 0, 0, 0, 0]);
    expect(queue.push(sampleUtterance({ seq: 6, utteranceId: 'a' }))).toBe(2);
    expect(queue.isFull).toBe(false);
    const left: number[] = [];
    for (let one = queue.shift(); one; one = queue.shift()) left.push(one.seq);
    expect(left).toEqual([3, 4, 5, 6]);
  });
});
