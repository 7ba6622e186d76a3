import { Observable } from 'rxjs';
import { afterEach, describe, expect, it } from 'vitest';
import { ERROR_CODES } from '../../src/errors.ts';
import type { LiveServer } from '../../src/server/liveServer.ts';
import type { Analyze } from '../../src/server/session.ts';
import {
  compressedBomb,
  deafConsumer,
  fastProducer,
  hugeMessage,
  manyFragments,
  pingFlood,
  SLOW_BEGINNINGS,
  slowLoris,
  withoutHello,
} from '../support/hostile/attacks.ts';
import { closeCodeOf, connectRaw } from '../support/hostile/rawSocket.ts';
import { connectPeer, producerWelcome } from '../support/livePeer.ts';
import { startTestServer, streamsOf } from '../support/liveServer.ts';
import { sampleUtterance } from '../support/sampleInsights.ts';

let server: LiveServer | undefined;
afterEach(async () => {
  await server?.close();
  server = undefined;
});
const start = async (...args: Parameters<typeof startTestServer>): Promise<LiveServer> =>
  (server = await startTestServer(...args));
const hello = (session: string) => ({
  type: 'hello',
  v: 1,
  session,
  participants: [{ id: 'ada', name: 'Ada' }],
  streams: streamsOf('ada'),
});
/** Somebody who talks to the server as they should while it is attacked, and is answered afterwards. */
async function healthy({ url }: LiveServer): Promise<() => Promise<void>> {
  const peer = await connectPeer(url);
  peer.say(hello('healthy'));
  await producerWelcome(peer);
  return async () => {
    peer.say({ type: 'ping', id: 77 });
    expect(await peer.next('pong')).toMatchObject({ id: 77 });
    peer.cut();
  };
}

const FLOOD = 10_000;
/** An analysis that concludes 2,000 characters at a time, as often as it is told. */
function floodingAnalysis(): { readonly analyze: Analyze; readonly flow: (count: number) => void } {
  let tell: (count: number) => void = () => undefined;
  const analyze: Analyze = (events$) =>
    new Observable((subscriber) => {
      let seq = 0;
      events$.subscribe({ complete: () => subscriber.complete() });
      tell = (count) => {
        for (let n = 0; n < count; n++)
          subscriber.next({ ...sampleUtterance({ text: 'word '.repeat(400), status: 'final' }), seq: ++seq });
      };
    });
  return { analyze, flow: (count) => tell(count) };
}

describe('a live server', () => {
  it('closes though an analysis never ends', async () => {
    const live = await startTestServer({}, { analyze: () => new Observable<never>(() => undefined) });
    const peer = await connectPeer(live.url);
    peer.say(hello('endless'));
    await producerWelcome(peer);
    await live.close();
    expect((await peer.closed).code).toBe(ERROR_CODES.GOING_AWAY.closeCode);
  });
});

describe('a live server under attack', () => {
  it.each(SLOW_BEGINNINGS)('cuts connections that begin with %s and drip on', async (beginning) => {
    const live = await start({ limits: { helloTimeoutMs: 500 } });
    const isStillFine = await healthy(live);
    await slowLoris(live.url, 40, beginning);
    await isStillFine();
  });

  it('takes no more connections of an address than it may, and cuts those that do not say hello', async () => {
    const limits = { maxConnectionsPerIp: 50, helloTimeoutMs: 500, maxAttemptsPerIpPerMinute: 290 };
    const live = await start({ limits });
    const isStillFine = await healthy(live);
    const outcomes = await withoutHello(live.url, 300);
    expect(outcomes).toMatchObject({ 429: expect.any(Number) as number, 4408: expect.any(Number) as number });
    expect(Object.values(outcomes).reduce((a, b) => a + b)).toBe(300);
    expect(Object.keys(outcomes).sort()).toEqual(['429', '4408']);
    await isStillFine();
  });

  it('cuts sockets beyond twice as many before they say anything', async () => {
    const live = await start({ limits: { maxConnectionsPerIp: 10, helloTimeoutMs: 2_000 } });
    const sockets = await Promise.all(Array.from({ length: 25 }, () => connectRaw(live.url)));
    await Promise.all(sockets.slice(20).map(({ closed }) => closed));
    expect(sockets.slice(0, 20).filter(({ socket }) => socket.destroyed)).toEqual([]);
    for (const { socket } of sockets) socket.destroy();
  });

  it('refuses a message of a gigabyte when it begins, and reads at most two seconds of it', async () => {
    const live = await start();
    const isStillFine = await healthy(live);
    const { sentBytes, closeCode } = await hugeMessage(live.url);
    expect(closeCode).toBe(ERROR_CODES.MESSAGE_TOO_BIG.closeCode);
    expect(sentBytes).toBeGreaterThan(0);
    await isStillFine();
  });

  it('agrees to no compression, and takes no compressed message', async () => {
    const { answer, closeCode } = await compressedBomb((await start()).url);
    expect(answer).not.toMatch(/Sec-WebSocket-Extensions/i);
    expect(closeCode).toBe(1002);
  });

  it('takes no message in more pieces than anybody needs', async () => {
    expect(await manyFragments((await start()).url, 17_000)).toBe(1008);
  });

  it('counts the pings of WebSockets as messages', async () => {
    const { url } = await start({ limits: { maxMessagesPerSecond: 10, ringMs: 0 } });
    expect(await pingFlood(url, 1_000)).toBe(ERROR_CODES.RATE_LIMITED.closeCode);
  });

  it('lets a producer that sends a hundred times as fast as life wait, and holds little of it', async () => {
    const live = await start({ limits: { maxMessagesPerSecond: 100_000 } }, { maxAheadMs: 2_000 });
    const isStillFine = await healthy(live);
    const { peer, send } = await fastProducer(live.url, 'fast');
    send(60);
    await peer.next('ack');
    const session = live.sessions.get('fast');
    const used = (): number => session.ingest.positions('p1')[0]?.mediaMs ?? NaN;
    // What the socket had read when it was told to wait: a piece of 64 KiB, which is two seconds of this sound, and perhaps another.
    expect(used()).toBeLessThan(session.clockMs() + 2_000 + 6_000);
    expect(session.waiting).toBeLessThan(400);
    await isStillFine();
    peer.cut();
  });

  it('gives up a consumer that does not read, holds no more for it than it may, and others read on', async () => {
    const { analyze, flow } = floodingAnalysis();
    let shiftMs = 0;
    const limits = { maxBufferedBytes: 200_000, slowConsumerMs: 5_000, backlogInsights: 1_000 };
    const live = await start({ limits }, { analyze, now: () => performance.now() + shiftMs });
    const producer = await connectPeer(live.url);
    producer.say(hello('talk'));
    await producerWelcome(producer);
    const deaf = await deafConsumer(live.url, 'talk');
    const reader = await connectPeer(live.url, { path: '/v1/feed' });
    reader.say({ type: 'hello', v: 1, session: 'talk' });
    await reader.next('welcome');
    // More than the system keeps in its own buffers for a socket.
    for (let seq = 0; seq < FLOOD; seq += 500) {
      flow(500);
      await expect.poll(() => reader.insights.length, { timeout: 20_000 }).toBe(seq + 500);
    }
    shiftMs = 6_000;
    const metrics = async (): Promise<string> => (await fetch(`${live.url.replace('ws', 'http')}/metrics`)).text();
    await expect.poll(metrics).toContain('undertone_slow_total 1');
    deaf.socket.resume();
    await deaf.closed;
    // It is told why, unless it begins to read more than two seconds after that.
    expect([ERROR_CODES.SLOW_CONSUMER.closeCode, undefined]).toContain(closeCodeOf(deaf));
    const heard = deaf.said().split('"type":"utterance"').length - 1;
    expect(heard).toBeGreaterThan(0);
    expect(heard).toBeLessThan(FLOOD);
    reader.cut();
    producer.cut();
  });

  it('gives a consumer that begins to read again all that is left, without a hole', async () => {
    const { analyze, flow } = floodingAnalysis();
    const live = await start({ limits: { maxBufferedBytes: 65_536, backlogInsights: 4_000 } }, { analyze });
    const producer = await connectPeer(live.url);
    producer.say(hello('talk'));
    await producerWelcome(producer);
    const deaf = await deafConsumer(live.url, 'talk');
    flow(4_000);
    producer.say({ type: 'bye' });
    await producer.closed;
    deaf.socket.resume();
    await deaf.until(/"type":"ended"/);
    const seqs = [...deaf.said().matchAll(/"type":"utterance","seq":(\d+)/g)].map(([, seq]) => Number(seq));
    expect(seqs).toEqual(Array.from({ length: 4_000 }, (_, i) => i + 1));
    expect(deaf.said()).not.toContain('"type":"missed"');
    await deaf.closed;
  });
});
