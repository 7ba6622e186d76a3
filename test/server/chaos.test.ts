import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createRandom } from '../../src/model/random.ts';
import type { Insight } from '../../src/domain/insight.ts';
import type { LiveServer } from '../../src/server/liveServer.ts';
import { encodeMediaFrame } from '../../src/protocol/mediaFrame.ts';
import { connectPeer, type LivePeer, producerWelcome } from '../support/livePeer.ts';
import { FRAME_MS, pcmFrame, startTestServer, streamsOf } from '../support/liveServer.ts';

let server: LiveServer;
beforeAll(async () => {
  const limits = { maxConnections: 100_000, maxConnectionsPerIp: 100_000, maxAttemptsPerIpPerMinute: 1_000_000 };
  const rates = { maxMessagesPerSecond: 100_000, maxBytesPerSecond: 1_000_000_000, maxSessions: 10_000 };
  server = await startTestServer({ limits: { ...limits, ...rates } });
});
afterAll(() => server.close());

type Piece = {
  readonly atMs: number;
  readonly stream: number;
  readonly sequence: number;
  readonly bytes: Uint8Array | string;
};

/** Two people who take turns for nine seconds, with words for half of what they say. */
const SCRIPT: readonly Piece[] = makeScript();

function makeScript(): readonly Piece[] {
  const pieces: Piece[] = [];
  const speaks = (who: number, ms: number): boolean => Math.floor(ms / 1_500) % 2 === who && ms % 1_500 < 800;
  for (let n = 0; n < 450; n++)
    for (const who of [0, 1]) {
      const payload = pcmFrame(speaks(who, n * FRAME_MS));
      const bytes = encodeMediaFrame({ number: 2 * who, sequence: n, mediaMs: n * FRAME_MS, payload });
      pieces.push({ atMs: (n + 1) * FRAME_MS, stream: 2 * who, sequence: n, bytes });
    }
  for (const [k, text] of ['great stuff', 'how awful', 'great'].entries()) {
    const who = k % 2;
    const startMs = 1_500 * k + 50;
    const message = { type: 'transcript', streamId: `words-${who ? 'ben' : 'ada'}`, sequence: Math.floor(k / 2) };
    const bytes = JSON.stringify({ ...message, isFinal: true, startMs, endMs: startMs + 700, text });
    pieces.push({ atMs: startMs + 700, stream: 2 * who + 1, sequence: Math.floor(k / 2), bytes });
  }
  return pieces.sort((a, b) => a.atMs - b.atMs);
}

const STREAM_IDS = ['mic-ada', 'words-ada', 'mic-ben', 'words-ben'];

/** What a conversation came to: everything of the final answers but when they were given. */
function outcome(insights: readonly Insight[]): readonly string[] {
  return insights
    .filter((one) => one.type === 'utterance')
    .filter(({ status }) => status === 'final')
    .map(({ speaker, startMs, endMs, text, label, probabilities, modalityWeights }) =>
      JSON.stringify([speaker.id, startMs, endMs, text, label, probabilities, modalityWeights]),
    )
    .sort();
}

/** Plays the script into a session as the seed says, and returns all its insights. */
async function play(session: string, seed: number | null): Promise<readonly Insight[]> {
  const random = createRandom(seed ?? 0);
  const chance = (share: number): boolean => seed !== null && random() < share;
  const hello = {
    type: 'hello',
    v: 1,
    session,
    participants: [
      { id: 'ada', name: 'Ada' },
      { id: 'ben', name: 'Ben' },
    ],
    streams: [...streamsOf('ada', 0), ...streamsOf('ben', 2)],
  };
  let peer: LivePeer = await connectPeer(server.url);
  peer.say(hello);
  let welcome = await producerWelcome(peer);
  const reader = await connectPeer(server.url, { path: '/v1/feed' });
  reader.say({ type: 'hello', v: 1, session });
  /** Pieces that were sent and may have to be sent again. */
  const sent: Piece[] = [];
  const send = (piece: Piece): void => {
    peer.raw(piece.bytes);
  };
  const comeBack = async (): Promise<void> => {
    peer.cut();
    await peer.closed;
    peer = await connectPeer(server.url);
    peer.say({ ...hello, resume: { token: welcome.resumeToken, epoch: welcome.epoch } });
    welcome = await producerWelcome(peer);
    const wanted = new Map(welcome.streams.map(({ streamId, nextSequence }) => [streamId, nextSequence]));
    const overlap = Math.floor(random() * 5);
    for (const piece of sent)
      if (piece.sequence >= (wanted.get(STREAM_IDS[piece.stream] ?? '') ?? 0) - overlap) send(piece);
  };
  let late: Piece[] = [];
  for (const piece of SCRIPT) {
    sent.push(piece);
    if (chance(0.05) && late.length < 20) late.push(piece);
    else send(piece);
    if (chance(0.03)) send(piece);
    if (chance(0.02)) peer.raw(piece.bytes.slice(0, Math.floor(random() * 15)));
    if (late.length > 0 && chance(0.3)) {
      late.forEach(send);
      late = [];
    }
    if (chance(0.01)) await new Promise((resolve) => setImmediate(resolve));
    if (chance(0.004)) {
      await comeBack();
      late = [];
    }
  }
  late.forEach(send);
  if (chance(0.5)) await comeBack();
  peer.say({ type: 'bye' });
  await reader.closed;
  return reader.insights;
}

describe('a network that cuts, delays, doubles, reorders and truncates', () => {
  it('changes no final answer in 200 seeded runs, and leaves no hole in seq', { timeout: 300_000 }, async () => {
    const calm = outcome(await play('calm', null));
    expect(calm).toHaveLength(6);
    for (let seed = 1; seed <= 200; seed++) {
      const insights = await play(`run-${seed}`, seed);
      expect(outcome(insights), `seed ${seed}`).toEqual(calm);
      expect(insights.map(({ seq }) => seq)).toEqual(insights.map((_, i) => i + 1));
    }
  });
});

function mutated(bytes: Uint8Array | string, at: number, value: number): Uint8Array | string {
  if (typeof bytes === 'string') return bytes.slice(0, at) + String.fromCharCode(value);
  return bytes.length === 0 ? bytes : bytes.with(Math.min(at, bytes.length - 1), value);
}

describe('garbage', () => {
  it('is answered by a documented code, and the server lives', { timeout: 120_000 }, async () => {
    const messages = fc.oneof(
      fc.constantFrom(...SCRIPT.slice(0, 200)).map(({ bytes }) => bytes),
      fc.json(),
      fc.uint8Array({ maxLength: 64 }),
    );
    await fc.assert(
      fc.asyncProperty(fc.array(fc.tuple(messages, fc.nat(30), fc.nat(255)), { maxLength: 40 }), async (all) => {
        const peer = await connectPeer(server.url);
        peer.say({ type: 'hello', v: 1, participants: [{ id: 'ada', name: 'Ada' }], streams: streamsOf('ada') });
        await producerWelcome(peer);
        for (const [bytes, at, value] of all) peer.raw(mutated(bytes, at, value));
        peer.say({ type: 'ping', id: 7 });
        const end = await Promise.race([
          peer.next('pong').then(() => 'alive'),
          peer.closed.then(({ code }) => `closed ${code}`),
        ]);
        expect(end).toMatch(/^(alive|closed (4\d{3}|1009))$/);
        peer.cut();
      }),
      { numRuns: 150 },
    );
    expect((await fetch(`${server.url.replace('ws', 'http')}/healthz`)).status).toBe(200);
  });
});
