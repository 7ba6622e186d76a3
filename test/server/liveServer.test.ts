import { createHash } from 'node:crypto';
import { afterEach, describe, expect, it } from 'vitest';
import { ERROR_CODES, type ErrorCode } from '../../src/errors.ts';
import { PURPOSES } from '../../src/protocol/live.ts';
import type { LiveServer } from '../../src/server/liveServer.ts';
import { connectPeer, consumerWelcome, type LivePeer, producerWelcome } from '../support/livePeer.ts';
import { fakeAnalysis, FRAME_MS, PCM, pcmFrame, startTestServer, streamsOf } from '../support/liveServer.ts';

let server: LiveServer | undefined;
afterEach(async () => {
  await server?.close();
  server = undefined;
});
const start = async (...args: Parameters<typeof startTestServer>): Promise<string> => {
  server = await startTestServer(...args);
  return server.url;
};
const hello = (more: Record<string, unknown> = {}) => ({
  type: 'hello',
  v: 1,
  session: 'talk',
  participants: [{ id: 'ada', name: 'Ada' }],
  streams: streamsOf('ada'),
  ...more,
});
const READER = { path: '/v1/feed' };
/** Sends `count` frames from `from` on: speech with a pause of a second after every two. */
function talk(peer: LivePeer, count: number, from = 0, number = 0): void {
  for (let n = from; n < from + count; n++)
    peer.frame({ number, sequence: n, mediaMs: n * FRAME_MS, payload: pcmFrame(n % 150 < 100) });
}
async function closing(peer: LivePeer): Promise<{ code: ErrorCode; closeCode: number }> {
  const error = await peer.next('error');
  return { code: error.code, closeCode: (await peer.closed).code };
}
const expected = (code: ErrorCode) => ({ code, closeCode: ERROR_CODES[code].closeCode });

describe('a live session', () => {
  it('welcomes a producer with limits, analyzes what it sends, and ends with a summary when it says bye', async () => {
    const url = await start();
    const producer = await connectPeer(url);
    producer.say(hello());
    const welcome = await producerWelcome(producer);
    expect(welcome).toMatchObject({ session: 'talk', isResumed: false, heartbeatMs: 10_000, ringMs: 30_000 });
    const consumer = await connectPeer(url, READER);
    consumer.say({ type: 'hello', v: 1, session: 'talk' });
    await consumer.next('welcome');
    talk(producer, 300);
    const words = { type: 'transcript', streamId: 'words-ada', isFinal: true };
    producer.say({ ...words, sequence: 0, startMs: 100, endMs: 1_900, text: 'that is great' });
    producer.say({ type: 'bye' });
    expect((await producer.closed).code).toBe(1000);
    expect(await consumer.next('ended')).toMatchObject({ reason: 'bye' });
    expect((await consumer.closed).code).toBe(1000);
    const finals = consumer.insights
      .filter((one) => one.type === 'utterance')
      .filter(({ status }) => status === 'final');
    expect(finals).toMatchObject([
      { startMs: 0, text: 'that is great', label: 'joy', speaker: { name: 'Ada', source: 'track' } },
      { text: null, label: 'anger' },
    ]);
    expect(consumer.insights.map(({ seq }) => seq)).toEqual(consumer.insights.map((_, i) => i + 1));
    expect(consumer.insights.at(-1)).toMatchObject({ type: 'summary', utterances: 2 });
  });

  it('continues after a cut: the producer learns how far it was heard, and nothing is lost or doubled', async () => {
    const url = await start();
    const first = await connectPeer(url);
    first.say(hello());
    const { resumeToken, epoch } = await producerWelcome(first);
    talk(first, 60);
    await first.next('ack');
    first.cut();
    const second = await connectPeer(url);
    second.say(hello({ resume: { token: resumeToken, epoch } }));
    const welcome = await producerWelcome(second);
    expect(welcome.isResumed).toBe(true);
    const { nextSequence } = welcome.streams[0] ?? { nextSequence: -1 };
    expect(nextSequence).toBeGreaterThan(0);
    talk(second, 300 - (nextSequence - 10), nextSequence - 10);
    second.say({ type: 'bye' });
    await second.closed;
    const reader = await connectPeer(url, READER);
    reader.say({ type: 'hello', v: 1, session: 'talk' });
    await reader.closed;
    const finals = reader.insights.filter((one) => one.type === 'utterance').filter(({ status }) => status === 'final');
    expect(finals.map(({ utteranceId, startMs, endMs }) => [utteranceId, startMs, endMs])).toEqual([
      ['u1', 0, 2_016],
      ['u2', 2_976, 5_024],
    ]);
    const audio = reader.insights.filter((one) => one.type === 'modality' && one.modality === 'audio');
    expect(audio.map((one) => (one.type === 'modality' ? (one.reason ?? one.state) : ''))).toContain('present');
  });

  it('evicts the connection whose token another one brings, and refuses a token that was used', async () => {
    const url = await start();
    const first = await connectPeer(url);
    first.say(hello());
    const { resumeToken: token, epoch } = await producerWelcome(first);
    const second = await connectPeer(url);
    second.say(hello({ resume: { token, epoch } }));
    await producerWelcome(second);
    expect(await closing(first)).toEqual(expected('EVICTED'));
    second.say({ type: 'ping', id: 1 });
    await second.next('pong');
    const third = await connectPeer(url);
    third.say(hello({ resume: { token, epoch } }));
    expect(await closing(third)).toEqual(expected('RESUME_FAILED'));
  });

  it('gives a consumer that comes back what it missed, and says what is gone', async () => {
    const url = await start({ limits: { backlogInsights: 4 } });
    const producer = await connectPeer(url);
    producer.say(hello());
    await producerWelcome(producer);
    talk(producer, 450);
    producer.say({ type: 'bye' });
    await producer.closed;
    const reader = await connectPeer(url, READER);
    reader.say({ type: 'hello', v: 1, session: 'talk', after: 2 });
    const { nextSeq } = await consumerWelcome(reader);
    const missed = await reader.next('missed');
    expect(missed).toMatchObject({ fromSeq: 3, toSeq: nextSeq - 1, reason: 'backlog' });
    await reader.closed;
    expect(reader.insights.map(({ seq }) => seq)).toEqual([0, 1, 2, 3].map((n) => nextSeq + n));
  });

  it('has another epoch when a session begins anew under its name, and counts neither tokens nor seq of before', async () => {
    const url = await start();
    const first = await connectPeer(url);
    first.say(hello());
    const { resumeToken: token, epoch } = await producerWelcome(first);
    expect(Math.abs(epoch - Date.now())).toBeLessThan(600_000);
    await server?.sessions.delete('talk');
    const second = await connectPeer(url);
    second.say(hello());
    const again = await producerWelcome(second);
    expect(again.epoch).toBeGreaterThan(epoch);
    const stale = await connectPeer(url);
    stale.say(hello({ resume: { token: again.resumeToken, epoch } }));
    expect(await closing(stale)).toEqual(expected('RESUME_FAILED'));
    const late = await connectPeer(url);
    late.say(hello({ resume: { token, epoch: again.epoch } }));
    expect(await closing(late)).toEqual(expected('RESUME_FAILED'));
    for (const [sent, nextSeq] of [
      [epoch, 1],
      [again.epoch, 2],
      [undefined, 2],
    ]) {
      const reader = await connectPeer(url, READER);
      reader.say({ type: 'hello', v: 1, session: 'talk', after: 1, ...(sent !== undefined && { epoch: sent }) });
      expect(await consumerWelcome(reader)).toMatchObject({ epoch: again.epoch, nextSeq });
    }
  });

  it('keeps two sessions apart, and two more after them', async () => {
    const url = await start();
    const run = async (session: string): Promise<string> => {
      const producer = await connectPeer(url);
      producer.say(hello({ session }));
      await producerWelcome(producer);
      const reader = await connectPeer(url, READER);
      reader.say({ type: 'hello', v: 1, session });
      talk(producer, 300);
      producer.say({ type: 'bye' });
      await reader.closed;
      const finals = reader.insights
        .filter((one) => one.type === 'utterance')
        .filter(({ status }) => status === 'final');
      return JSON.stringify(
        finals.map(({ utteranceId, startMs, label, probabilities }) => [utteranceId, startMs, label, probabilities]),
      );
    };
    const [a, b] = await Promise.all([run('one'), run('two')]);
    const [c, d] = await Promise.all([run('three'), run('four')]);
    expect([b, c, d]).toEqual([a, a, a]);
  });

  it('says that a camera was switched off and a consent withdrawn, and goes on with what is left', async () => {
    const url = await start();
    const producer = await connectPeer(url);
    producer.say(
      hello({ streams: [...streamsOf('ada'), { streamId: 'cam', number: 7, participant: 'ada', kind: 'face' }] }),
    );
    await producerWelcome(producer);
    talk(producer, 10);
    producer.say({ type: 'state', streamId: 'cam', state: 'camera_off' });
    producer.say({ type: 'consent', participant: 'ada', modalities: ['text'] });
    const { participants } = await producer.next('policy');
    expect(participants[0]?.refused.map(({ modality, reason }) => `${modality} ${reason}`)).toEqual([
      'audio consent',
      'face consent',
      'body consent',
    ]);
    talk(producer, 290, 10);
    producer.say({
      type: 'transcript',
      streamId: 'words-ada',
      sequence: 0,
      isFinal: true,
      startMs: 0,
      endMs: 900,
      text: 'great',
    });
    producer.say({ type: 'bye' });
    await producer.closed;
    const reader = await connectPeer(url, READER);
    reader.say({ type: 'hello', v: 1, session: 'talk' });
    await reader.closed;
    const last = reader.insights.findLast((one) => one.type === 'utterance');
    expect(last).not.toMatchObject({ modalityWeights: { audio: 1 } });
  });
});

describe('what is refused', () => {
  it.each<[string, unknown, ErrorCode]>([
    ['no JSON', '{', 'BAD_MESSAGE'],
    ['nothing', '', 'BAD_MESSAGE'],
    ['an empty frame', new Uint8Array(0), 'BAD_MESSAGE'],
    ['a message before hello', { type: 'close', streamId: 'a' }, 'BAD_MESSAGE'],
    ['a frame before hello', Uint8Array.of(1, 2, 3), 'BAD_MESSAGE'],
  ])('%s is answered, and the connection goes on', async (_, sent, code) => {
    const peer = await connectPeer(await start());
    peer.raw(typeof sent === 'string' || sent instanceof Uint8Array ? sent : JSON.stringify(sent));
    expect(await peer.next('error')).toMatchObject({ code, isFatal: false });
    peer.say(hello());
    await producerWelcome(peer);
  });

  it.each<[string, Record<string, unknown>, ErrorCode]>([
    ['a stream of nobody', { participants: [] }, 'UNKNOWN_STREAM'],
    [
      'two streams of one id',
      { streams: [...streamsOf('ada'), { ...streamsOf('ada')[0], number: 9 }] },
      'UNKNOWN_STREAM',
    ],
    ['a resume of nothing', { resume: { token: 'x', epoch: 1 } }, 'RESUME_FAILED'],
    ['a name without letters', { participants: [{ id: 'ada', name: ' ' }] }, 'BAD_MESSAGE'],
  ])('a hello with %s closes the connection', async (title, more, code) => {
    const peer = await connectPeer(await start());
    peer.say(hello(more));
    if (title.startsWith('two')) return expect(await producerWelcome(peer)).toMatchObject({ streams: [{}, {}] });
    return expect(await closing(peer)).toEqual(expected(code));
  });

  it('damaged frames, unknown streams and rows of a wrong length are answered with their codes', async () => {
    const peer = await connectPeer(await start());
    peer.say(hello());
    await producerWelcome(peer);
    const frame = { number: 0, sequence: 0, mediaMs: 0, payload: new Uint8Array(3) };
    peer.frame(frame);
    peer.frame({ ...frame, number: 99 });
    peer.raw(Uint8Array.of(9));
    peer.say({ type: 'state', streamId: 'nope', state: 'muted' });
    peer.say({ type: 'transcript', streamId: 'mic-ada', sequence: 0, isFinal: true, startMs: 0, endMs: 1, text: '' });
    const codes = [];
    for (let n = 0; n < 5; n++) codes.push((await peer.next('error')).code);
    expect(codes).toEqual(['BAD_FRAME', 'UNKNOWN_STREAM', 'BAD_FRAME', 'UNKNOWN_STREAM', 'UNKNOWN_STREAM']);
  });

  it('a format that changes without end is refused, since every decoder takes a while to make', async () => {
    const peer = await connectPeer(await start({ limits: { maxStreams: 1 } }));
    peer.say(hello({ streams: streamsOf('ada').slice(0, 1) }));
    await producerWelcome(peer);
    for (let n = 0; n < 9; n++) peer.say({ type: 'format', streamId: 'mic-ada', format: PCM });
    peer.say({ type: 'ping', id: 1 });
    await peer.next('pong');
    expect(peer.said.filter(({ type }) => type === 'error')).toMatchObject([
      { code: 'LIMIT_EXCEEDED', isFatal: false },
    ]);
  });

  it('a peer that is refused again and again is closed', async () => {
    const peer = await connectPeer(await start());
    for (let n = 0; n < 101; n++) peer.raw('x');
    expect((await peer.closed).code).toBe(ERROR_CODES.BAD_MESSAGE.closeCode);
  });

  it('too big messages close the connection, the very big unread', async () => {
    const url = await start({ limits: { maxMessageBytes: 2_000, maxFrameBytes: 4_000 } });
    const big = await connectPeer(url);
    big.raw('x'.repeat(3_000));
    expect(await closing(big)).toEqual(expected('MESSAGE_TOO_BIG'));
    const huge = await connectPeer(url);
    huge.raw(new Uint8Array(1 << 20));
    expect((await huge.closed).code).toBe(1009);
  });

  it('who says no hello, or nothing at all for long, is closed', async () => {
    let shiftMs = 0;
    const url = await start({}, { now: () => performance.now() + shiftMs });
    const silent = await connectPeer(url);
    const idle = await connectPeer(url);
    idle.say(hello());
    await idle.next('welcome');
    shiftMs = 10_001;
    expect(await closing(silent)).toEqual(expected('HELLO_TIMEOUT'));
    shiftMs = 40_000;
    expect(await closing(idle)).toEqual(expected('IDLE_TIMEOUT'));
  });

  it('too many messages a second close the connection', async () => {
    const url = await start({ limits: { maxMessagesPerSecond: 1, ringMs: 0 } });
    const peer = await connectPeer(url);
    for (let n = 0; n < 7; n++) peer.say({ type: 'ping', id: n });
    expect(await closing(peer)).toEqual(expected('RATE_LIMITED'));
  });

  it('a producer that does not come back within the grace ends the session, with what is missing declared', async () => {
    let shiftMs = 0;
    const url = await start({ limits: { heartbeatMs: 600_000 } }, { now: () => performance.now() + shiftMs });
    const producer = await connectPeer(url);
    producer.say(hello());
    await producerWelcome(producer);
    talk(producer, 60);
    await producer.next('ack');
    const reader = await connectPeer(url, READER);
    reader.say({ type: 'hello', v: 1, session: 'talk' });
    await consumerWelcome(reader);
    producer.cut();
    await expect.poll(() => server?.sessions.get('talk').producers.all()[0]?.lostAtMs).toBeDefined();
    shiftMs = 121_000;
    expect(await reader.next('gap')).toMatchObject({ streamId: 'mic-ada', reason: 'disconnected' });
    expect(await reader.next('ended')).toMatchObject({ reason: 'abandoned' });
    expect(reader.insights.at(-1)).toMatchObject({ type: 'summary', utterances: 1 });
  });
});

describe('who may do what', () => {
  const KEYS = { all: 'a'.repeat(43), produce: 'b'.repeat(43), consume: 'c'.repeat(43) };
  const hash = (key: string): string => createHash('sha256').update(key).digest('hex');
  const config = {
    keys: [
      { id: 'all', sha256: hash(KEYS.all), scopes: ['produce', 'consume', 'admin'] },
      { id: 'produce', sha256: hash(KEYS.produce), scopes: ['produce'] },
      { id: 'consume', sha256: hash(KEYS.consume), scopes: ['consume'] },
    ],
  };
  const http = async (path: string, key: string | undefined, init: RequestInit = {}) =>
    fetch(`${server?.url.replace('ws', 'http')}${path}`, {
      ...init,
      headers: { ...(key && { authorization: `Bearer ${key}` }), 'content-type': 'application/json' },
    });
  type Created = { session: string; tokens: { produce: { token: string }; consume: { token: string } } };
  const create = async (body: unknown = {}): Promise<Created> =>
    (await (await http('/v1/sessions', KEYS.all, { method: 'POST', body: JSON.stringify(body) })).json()) as Created;

  it('a token opens its own session and no other, as long as it is good', async () => {
    const url = await start(config);
    const [one, other] = [await create({ purpose: 'telehealth' }), await create()];
    const mine = await connectPeer(url, { token: one.tokens.produce.token });
    mine.say(hello({ session: one.session }));
    await mine.next('welcome');
    const theirs = await connectPeer(url, { token: one.tokens.produce.token });
    theirs.say(hello({ session: other.session }));
    expect(await closing(theirs)).toEqual(expected('FORBIDDEN'));
    const reading = await connectPeer(url, { token: one.tokens.consume.token });
    reading.say(hello({ session: one.session }));
    expect(await closing(reading)).toEqual(expected('FORBIDDEN'));
  });

  it('fresh tokens for a session are given to whoever may begin one, and to nobody else', async () => {
    const url = await start(config);
    const { session } = await create();
    const ask = (key: string, id: string, body: unknown = {}): Promise<Response> =>
      http(`/v1/sessions/${id}/tokens`, key, { method: 'POST', body: JSON.stringify(body) });
    const answer = await ask(KEYS.all, session, { participant: 'ada' });
    expect(answer.status).toBe(201);
    const { tokens, ...rest } = (await answer.json()) as Created;
    expect(rest).toEqual({ session });
    const peer = await connectPeer(url, { token: tokens.produce.token });
    peer.say(hello({ session }));
    expect((await producerWelcome(peer)).session).toBe(session);
    const other = await connectPeer(url, { token: tokens.produce.token });
    other.say(hello({ session, participants: [{ id: 'ben', name: 'Ben' }] }));
    expect(await closing(other)).toEqual(expected('FORBIDDEN'));
    const refused = [
      await ask(KEYS.produce, session),
      await ask(tokens.produce.token, session),
      await ask(KEYS.all, 'unknown'),
      await ask(KEYS.all, session, { participant: 7 }),
    ];
    expect(refused.map(({ status }) => status)).toEqual([403, 403, 404, 400]);
  });

  it('a token for one participant speaks for no other', async () => {
    const url = await start(config);
    const { tokens } = await create({ participant: 'ben' });
    const peer = await connectPeer(url, { token: tokens.produce.token });
    peer.say(hello({ session: undefined }));
    expect(await closing(peer)).toEqual(expected('FORBIDDEN'));
  });

  it('a token for one participant neither consents, renames, joins nor opens streams for another', async () => {
    const url = await start(config);
    const { session, tokens } = await create({ participant: 'ada' });
    const host = await connectPeer(url, { token: KEYS.all });
    host.say(hello({ session, participants: [{ id: 'ben', name: 'Ben' }], streams: streamsOf('ben', 4) }));
    await producerWelcome(host);
    const peer = await connectPeer(url, { token: tokens.produce.token });
    peer.say(hello({ session }));
    await producerWelcome(peer);
    peer.say({ type: 'consent', participant: 'ben', modalities: ['text'] });
    peer.say({ type: 'name', participant: 'ben', name: 'Bob' });
    peer.say({ type: 'join', participant: { id: 'cy', name: 'Cy' } });
    peer.say({ type: 'open', streams: [{ streamId: 'x', number: 9, kind: 'captions' }] });
    const codes = [];
    for (let n = 0; n < 4; n++) codes.push((await peer.next('error')).code);
    expect(codes).toEqual(['FORBIDDEN', 'FORBIDDEN', 'FORBIDDEN', 'FORBIDDEN']);
  });

  it('sessions are made, described and deleted over HTTP by whoever may', async () => {
    const url = await start(config);
    const { session, tokens } = await create({ purpose: 'coaching' });
    const peer = await connectPeer(url, { token: tokens.produce.token });
    peer.say(hello({ session }));
    await producerWelcome(peer);
    const described = (await (await http(`/v1/sessions/${session}`, KEYS.consume)).json()) as {
      purpose: string;
      streams: unknown[];
    };
    expect(described.purpose).toBe('coaching');
    expect(described.streams).toHaveLength(2);
    expect((await http(`/v1/sessions/${session}`, KEYS.consume, { method: 'DELETE', body: '{}' })).status).toBe(403);
    expect((await http(`/v1/sessions/${session}`, KEYS.all, { method: 'DELETE', body: '{}' })).status).toBe(204);
    expect(await peer.next('ended')).toMatchObject({ reason: 'deleted' });
    expect((await http(`/v1/sessions/${session}`, KEYS.consume)).status).toBe(404);
  });

  it('a request that breaks a rule is told which, and what is allowed, but not what it said', async () => {
    await start(config);
    const answer = await create({ purpose: 'spying' });
    expect(answer).toEqual({
      code: 'BAD_MESSAGE',
      message: `purpose: invalid_value, one of ${PURPOSES.join(', ')}`,
      retryable: false,
    });
    expect(await (await http('/v2', KEYS.all)).json()).toEqual({
      code: 'FILE_NOT_FOUND',
      message: 'no such path',
      retryable: false,
    });
  });

  it('voice and face are not analyzed at work unless the law lets them be', async () => {
    const url = await start();
    const refusedOf = async (session: string, more: Record<string, unknown>): Promise<string> => {
      const peer = await connectPeer(url);
      peer.say(hello({ session, purpose: 'workplace', ...more }));
      const { participants } = await producerWelcome(peer);
      return participants.flatMap(({ refused }) => refused.map(({ modality }) => modality)).join();
    };
    expect(await refusedOf('a', {})).toBe('audio,face,body');
    expect(await refusedOf('b', { exception: 'safety' })).toBe('');
  });
});

describe('the server itself', () => {
  it('says that it lives, and counts', async () => {
    const url = (await start()).replace('ws', 'http');
    expect(await (await fetch(`${url}/healthz`)).json()).toMatchObject({ status: 'ok', vision: [] });
    expect((await fetch(`${url}/readyz`)).status).toBe(200);
    expect(await (await fetch(`${url}/metrics`)).text()).toContain('undertone_sessions 0');
    expect((await fetch(`${url}/nothing`)).status).toBe(404);
  });

  it('drains: says goaway, lets a session end, and closes the rest', async () => {
    const url = await start();
    const producer = await connectPeer(url);
    producer.say(hello());
    await producerWelcome(producer);
    const drained = server?.drain(300);
    expect(await producer.next('goaway')).toMatchObject({ reason: 'shutdown', leftMs: 300 });
    await expect(connectPeer(url)).rejects.toThrow('503');
    await drained;
    expect([1000, 1001]).toContain((await producer.closed).code);
    server = undefined;
  });

  it('does not let one session that fails touch another', async () => {
    const good = fakeAnalysis();
    let opened = 0;
    const url = await start(
      {},
      {
        analyze: (events$, onTaken) => {
          if (++opened > 1) return good(events$, onTaken);
          throw new Error('this one cannot start');
        },
      },
    );
    const bad = await connectPeer(url);
    bad.say(hello({ session: 'bad' }));
    expect((await closing(bad)).code).toBe('INTERNAL');
    const fine = await connectPeer(url);
    fine.say(hello({ session: 'fine' }));
    await fine.next('welcome');
  });
});
