import { NEVER } from 'rxjs';
import { afterEach, describe, expect, it } from 'vitest';
import type { ModalityInsight } from '../../src/domain/insight.ts';
import { ERROR_CODES } from '../../src/errors.ts';
import { FALL_MS, RISE_MS } from '../../src/server/loadWatch.ts';
import type { LiveServer, LiveServerDeps } from '../../src/server/liveServer.ts';
import { connectPeer, consumerWelcome, type LivePeer, producerWelcome } from '../support/livePeer.ts';
import { FRAME_MS, pcmFrame, startTestServer, streamsOf } from '../support/liveServer.ts';

const BOUND_MS = 100;
const HELLO = {
  type: 'hello',
  v: 1,
  participants: [{ id: 'ada', name: 'Ada' }],
  streams: [...streamsOf('ada'), { streamId: 'face-ada', number: 2, participant: 'ada', kind: 'face' }],
};

let server: LiveServer | undefined;
afterEach(async () => {
  await server?.close();
  server = undefined;
});

/** A server whose event loop is as late as we say, and whose clock can be put forward. */
async function start(deps: Partial<LiveServerDeps> = {}) {
  const loop = { delayMs: 0, aheadMs: 0 };
  server = await startTestServer(
    { limits: { maxDelayMs: BOUND_MS, heartbeatMs: 600_000 } },
    {
      loopDelay: { take: () => loop.delayMs, stop: () => undefined },
      now: () => performance.now() + loop.aheadMs,
      ...deps,
    },
  );
  const http = server.url.replace('ws', 'http');
  const step = async (): Promise<string | undefined> =>
    /^undertone_load_step (\d)$/m.exec(await (await fetch(`${http}/metrics`)).text())?.[1];
  /** The event loop is late, or not, until the server has taken the step. */
  const reach = async (wanted: number, delayMs: number): Promise<void> => {
    loop.delayMs = delayMs;
    while ((await step()) !== String(wanted)) {
      loop.aheadMs += (delayMs > 0 ? RISE_MS : FALL_MS) / 4;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    // No step further while we look.
    loop.delayMs = 0.75 * BOUND_MS;
  };
  const begin = async (): Promise<Response> => fetch(`${http}/v1/sessions`, { method: 'POST' });
  return { url: server.url, http, reach, begin };
}

async function hold(url: string): Promise<{ producer: LivePeer; consumer: LivePeer }> {
  const [producer, consumer] = [await connectPeer(url), await connectPeer(url, { path: '/v1/feed' })];
  producer.say({ ...HELLO, session: 'talk' });
  await producerWelcome(producer);
  consumer.say({ type: 'hello', v: 1, session: 'talk' });
  await consumerWelcome(consumer);
  return { producer, consumer };
}

/** Sends speech of 2 s and a second of pause, with rows of a face, from `fromMs` on; `time`: how often it was called before. */
function speak(producer: LivePeer, fromMs: number, time = 0): void {
  const row = new Float32Array(52).fill(0.3);
  row[51] = 1;
  for (let n = 0; n < 150; n++) {
    const mediaMs = fromMs + n * FRAME_MS;
    producer.frame({ number: 0, sequence: 150 * time + n, mediaMs, payload: pcmFrame(n < 100) });
    const payload = new Uint8Array(row.buffer);
    if (n % 5 === 0) producer.frame({ number: 2, sequence: 30 * time + n / 5, mediaMs, payload });
  }
}
const faces = (consumer: LivePeer): readonly ModalityInsight[] =>
  consumer.insights.filter((one) => one.type === 'modality').filter(({ modality }) => modality === 'face');

type Described = {
  readonly clockMs: number;
  readonly waiting: number;
  readonly streams: readonly { readonly mediaMs: number }[];
};
const look = async (http: string): Promise<Described> =>
  (await (await fetch(`${http}/v1/sessions/talk`)).json()) as Described;

/** Resolves when the first stream of the session was used up to `mediaMs`. */
async function isHeard(http: string, mediaMs: number): Promise<void> {
  for (let seen = await look(http); seen.waiting > 0 || (seen.streams[0]?.mediaMs ?? 0) < mediaMs;)
    seen = await look(http);
}

async function until(isSo: () => boolean): Promise<void> {
  while (!isSo()) await new Promise((resolve) => setTimeout(resolve, 20));
}

describe('a server that has more to do than it can', () => {
  it('takes no new sessions, says so to those who ask and to whoever balances, and takes them again', async () => {
    const { url, http, reach, begin } = await start();
    await hold(url);
    await reach(1, BOUND_MS + 1);
    const refused = await begin();
    expect([refused.status, await refused.json()]).toMatchObject([503, { code: 'OVERLOADED', retryable: true }]);
    const ready = await fetch(`${http}/readyz`);
    expect([ready.status, await ready.json()]).toMatchObject([503, { code: 'OVERLOADED', retryable: true }]);
    const late = await connectPeer(url);
    late.say({ ...HELLO, session: 'new' });
    expect(await late.next('error')).toMatchObject({ code: 'OVERLOADED', retryable: true, isFatal: true });
    expect((await late.closed).code).toBe(ERROR_CODES.OVERLOADED.closeCode);
    await reach(0, 0);
    expect((await begin()).status).toBe(201);
    expect((await fetch(`${http}/readyz`)).status).toBe(200);
  });

  it('takes one all the same when it has none: what it had to do before is over', async () => {
    const { url, http, reach, begin } = await start();
    const { producer, consumer } = await hold(url);
    await reach(1, BOUND_MS + 1);
    expect((await begin()).status).toBe(503);
    producer.say({ type: 'bye' });
    await consumer.next('ended');
    expect((await fetch(`${http}/readyz`)).status).toBe(200);
    expect((await begin()).status).toBe(201);
    expect((await begin()).status).toBe(201);
  });

  it('lets go of faces, says so, and sees them again; sound, words and final answers go on', async () => {
    const { url, http, reach } = await start();
    const { producer, consumer } = await hold(url);
    speak(producer, 0);
    await until(() => faces(consumer).length > 0);
    await reach(2, BOUND_MS + 1);
    await until(() => faces(consumer).at(-1)?.reason === 'overload');
    const { clockMs } = await look(http);
    speak(producer, clockMs, 1);
    await isHeard(http, clockMs + 3_000);
    await reach(0, 0);
    await until(() => faces(consumer).at(-1)?.reason !== 'overload');
    producer.say({ type: 'bye' });
    await consumer.next('ended');
    const finals = consumer.insights
      .filter((one) => one.type === 'utterance')
      .filter(({ status }) => status === 'final');
    expect(finals.map(({ availability }) => availability.audio.share)).toEqual([1, 1]);
    expect(finals[1]?.availability.face).toMatchObject({ share: 0, reason: 'overload' });
  });

  it('leaves out what passes between first and final answers, declared, and neither of them', async () => {
    const { url, http, reach } = await start();
    const { producer, consumer } = await hold(url);
    await reach(3, BOUND_MS + 1);
    speak(producer, 0);
    const words = { type: 'transcript', streamId: 'words-ada', startMs: 100, endMs: 1_900 };
    producer.say({ ...words, sequence: 0, isFinal: false, text: 'that is' });
    await isHeard(http, 3_000);
    producer.say({ ...words, sequence: 1, isFinal: true, text: 'that is great' });
    producer.say({ type: 'bye' });
    await consumer.next('ended');
    const answers = consumer.insights.filter((one) => one.type === 'utterance');
    expect(answers.map(({ status }) => status)).toEqual(['provisional', 'final']);
    expect(answers.at(-1)?.text).toBe('that is great');
    expect(consumer.insights.some(({ type }) => type === 'interim')).toBe(false);
    expect(consumer.said).toContainEqual(expect.objectContaining({ type: 'missed', reason: 'coalesced' }));
    expect(consumer.insights.at(-1)).toMatchObject({ type: 'summary', utterances: 1 });
  });

  it('counts what waits to be analyzed as well: the loop may be on time, and the analysis behind', async () => {
    const { url, reach, begin } = await start({ analyze: () => NEVER });
    const { producer } = await hold(url);
    speak(producer, 0);
    await reach(1, 1);
    expect((await begin()).status).toBe(503);
  });
});
