import { afterEach, expect, it, describe } from 'vitest';
import WebSocket from 'ws';
import { connect } from '../../src/client/connect.ts';
import type { SocketConstructor } from '../../src/client/socket.ts';
import type { Insight } from '../../src/domain/insight.ts';
import type { LiveServer } from '../../src/server/liveServer.ts';
import { PCM, startTestServer } from '../support/liveServer.ts';
import { statusOf } from './harness.ts';

let server: LiveServer | undefined;
afterEach(async () => {
  await server?.close();
  server = undefined;
});

const OPTIONS = {
  WebSocket,
  backoff: { baseMs: 1, maxMs: 10 },
  purpose: 'personal',
  participant: { id: 'ada', name: 'Ada' },
  streams: [
    { streamId: 'mic', kind: 'audio', format: PCM },
    { streamId: 'words', kind: 'captions' },
  ],
  consume: true,
} as const;

const WORDS = { isFinal: true, startMs: 100, endMs: 1_900, text: 'that is great' };

/** Two seconds of sound and one of silence, again and again, in frames of 20 ms. */
function frame(index: number): Float32Array {
  const isLoud = index % 150 < 100;
  return Float32Array.from({ length: 320 }, (_, i) => (isLoud ? 0.3 * Math.sin(i / 4) : 0));
}

/** A `ws` whose connections can lose what is sent, and be cut, like those of a network that goes. */
function losable() {
  const open: Losable[] = [];
  class Losable extends WebSocket {
    isLosing = false;
    constructor(url: string, protocols: string[]) {
      super(url, protocols);
      open.push(this);
    }
    override send(bytes: string | Uint8Array): void {
      if (!this.isLosing) super.send(bytes);
    }
  }
  const Socket: SocketConstructor = Losable;
  return {
    Socket,
    lose: () => open.forEach((one) => (one.isLosing = true)),
    cut: () => open.splice(0).forEach((one) => one.terminate()),
  };
}

async function call(
  cutAt: readonly number[],
): Promise<{ readonly insights: readonly Insight[]; readonly resent: number }> {
  server = await startTestServer();
  const { Socket, lose, cut } = losable();
  const { producer, consumer } = connect({ ...OPTIONS, url: server.url, WebSocket: Socket });
  const insights: Insight[] = [];
  const reading = (async () => {
    for await (const insight of consumer) insights.push(insight);
  })();
  await producer.ready();
  await consumer.ready();
  for (let index = 0; index < 450; index++) {
    if (cutAt.includes(index + 10)) {
      // What was sent until here is used; how fast that is depends on the machine.
      const used = (): number | undefined => server?.sessions.all()[0]?.ingest.find('mic')?.position().nextSequence;
      await expect.poll(used).toBe(index);
      lose();
    }
    if (cutAt.includes(index)) {
      cut();
      await statusOf(producer, 'reconnecting');
    }
    if (index === 110) producer.sendTranscript('words', WORDS);
    producer.sendAudio('mic', frame(index), index * 20);
    if (cutAt.includes(index - 20)) await statusOf(producer, 'resumed');
  }
  await producer.bye();
  await reading;
  expect(producer.counts.dropped).toEqual([]);
  return { insights, resent: producer.counts.resent };
}

const finals = (insights: readonly Insight[]) =>
  insights.flatMap((one) =>
    one.type === 'utterance' && one.status === 'final'
      ? [[one.utteranceId, one.startMs, one.endMs, one.text, one.label]]
      : [],
  );

describe('the client and the live server', () => {
  it('bring a call to its insights, and end together', async () => {
    const { insights } = await call([]);
    expect(insights.map(({ seq }) => seq)).toEqual(insights.map((_, index) => index + 1));
    expect(finals(insights)).toHaveLength(3);
    expect(finals(insights)[0]).toEqual(['u1', 0, 2_016, 'that is great', 'joy']);
    expect(insights.at(-1)?.type).toBe('summary');
  });

  it('give the same final insights, each once, when both connections are cut in the middle of speech', async () => {
    const whole = await call([]);
    await server?.close();
    const cut = await call([60, 200, 390]);
    expect(cut.insights.map(({ seq }) => seq)).toEqual(cut.insights.map((_, index) => index + 1));
    expect(finals(cut.insights)).toEqual(finals(whole.insights));
    expect(cut.resent).toBe(30);
  });
});
