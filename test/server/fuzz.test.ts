import { afterEach, describe, expect, it } from 'vitest';
import { createOpusDecoder } from '../../adapters/media/opus/createOpusDecoder.ts';
import { createRandom } from '../../src/model/random.ts';
import type { LiveServer } from '../../src/server/liveServer.ts';
import { fuzzServer } from '../support/fuzz/fuzzServer.ts';
import { fuzzSockets, KNOWN_ENDS } from '../support/fuzz/fuzzSockets.ts';
import { mutateBytes, mutateJson } from '../support/fuzz/mutate.ts';
import { heldBytes } from '../support/heldBytes.ts';
import { startTestServer } from '../support/liveServer.ts';

let server: LiveServer | undefined;
afterEach(async () => {
  await server?.close();
  server = undefined;
});

describe('mutated messages and frames', () => {
  it('are each accepted or answered by a documented code, 50,000 times, and nothing is kept of them', async () => {
    const { answers, closes, problems, heapBytes } = await fuzzServer({ messages: 50_000, seed: 1 }, heldBytes);
    expect(problems).toEqual([]);
    // They get everywhere: into sessions that go on, come back, end and are refused.
    expect(Object.keys(answers)).toEqual(
      expect.arrayContaining([
        'BAD_MESSAGE',
        'BAD_FRAME',
        'UNKNOWN_STREAM',
        'EVICTED',
        'RESUME_FAILED',
        'IDLE_TIMEOUT',
      ]),
    );
    expect(closes[1000]).toBeGreaterThan(50);
    const [early = NaN, late = NaN] = [heapBytes[4], heapBytes[9]];
    expect(late - early).toBeLessThan(4_000_000);
  }, 120_000);

  it('do the same over sockets, and the server lives', async () => {
    const limits = { maxAttemptsPerIpPerMinute: 100_000, maxMessagesPerSecond: 100_000, maxSessions: 10_000 };
    server = await startTestServer({ limits }, { createOpus: createOpusDecoder });
    const atOnce = await fuzzSockets(server.url, { messages: 3_000, seed: 2 });
    const inTurn = await fuzzSockets(server.url, { messages: 3_000, seed: 2, isInTurn: true });
    for (const end of Object.keys({ ...atOnce, ...inTurn })) expect(KNOWN_ENDS).toContain(end);
    // In turn the same messages have the same ends, whatever the machine does meanwhile: 49 of 120 connections live on.
    expect(inTurn['alive']).toBeGreaterThan(40);
    expect((await fetch(`${server.url.replace('ws', 'http')}/healthz`)).status).toBe(200);
  });

  it('differ from what they were made of, most often, and are the same for the same seed', () => {
    const message = { type: 'hello', v: 1, streams: [{ streamId: 'a', number: 0 }] };
    const make = (seed: number): string => {
      const random = createRandom(seed);
      return JSON.stringify([mutateJson(message, random), [...mutateBytes(Buffer.from('hello there'), random)]]);
    };
    const made = Array.from({ length: 500 }, (_, seed) => make(seed));
    expect(new Set(made).size).toBeGreaterThan(480);
    expect(made).toEqual(Array.from({ length: 500 }, (_, seed) => make(seed)));
    expect(message.streams).toHaveLength(1);
  });
});
