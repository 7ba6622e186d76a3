import { afterEach, describe, expect, it, vi } from 'vitest';
import {
  createDeepgramRecognizer,
  type DeepgramOptions,
} from '../../../../adapters/asr/deepgram/createDeepgramRecognizer.ts';
import { MAX_ATTEMPTS, SILENT_DEATH_MS } from '../../../../adapters/asr/deepgram/createConnection.ts';
import { END_TIMEOUT_MS } from '../../../../adapters/asr/deepgram/createDeepgramStream.ts';
import type { Recognizer } from '../../../../src/adapter.ts';
import { describeRecognizer, listenTo, writeAll } from '../../../contracts/recognizer.ts';
import { toSound, type PeerWord } from '../../../support/deepgramEar.ts';
import { startDeepgramPeer, type ConnectionPlan, type DeepgramPeer } from '../../../support/deepgramPeer.ts';
import { createManualTimers } from '../../../support/manualTimers.ts';

/** Two people take turns; within an utterance words touch, and pauses end utterances. */
const SCRIPT: readonly PeerWord[] = [
  ...say(500, 0, 'Good morning everyone.'),
  ...say(2_000, 1, 'Morning. I am late, sorry.'),
  ...say(4_200, 0, 'Never mind, we were waiting for the slides anyway.'),
  ...say(8_000, 1, 'They are ready now.'),
  ...say(10_000, 0, 'Then let us begin.'),
];
const DURATION_MS = 12_000;
const KEY = 'secret-key-of-the-test';

function say(startMs: number, speaker: number, text: string): PeerWord[] {
  return text.split(' ').map((word, index) => ({
    text: word,
    speaker,
    startMs: startMs + index * 250,
    endMs: startMs + index * 250 + 200,
  }));
}

const closing: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});

async function meet(
  plans: readonly ConnectionPlan[],
  options: Partial<DeepgramOptions> = {},
): Promise<{ peer: DeepgramPeer; recognizer: Recognizer }> {
  const peer = await startDeepgramPeer(SCRIPT, plans);
  const settings = { apiKey: KEY, url: peer.url, diarize: true, random: () => 0, ...options };
  const recognizer = await createDeepgramRecognizer(settings);
  closing.push(peer.close, () => recognizer.close());
  return { peer, recognizer };
}

const SOUND = toSound(SCRIPT, DURATION_MS);
/** Words, times and speakers as scripted; the first who speaks is S1. */
const EXPECTED = SCRIPT.map(({ text, startMs, endMs, speaker }) => ({
  text,
  startMs,
  endMs,
  label: `S${speaker + 1}`,
}));

async function hear(recognizer: Recognizer): Promise<unknown[]> {
  const { stream, heard } = await listenTo(recognizer);
  await writeAll(stream, SOUND);
  await stream.end();
  stream.close();
  expect(heard.errors).toEqual([]);
  return heard
    .finals()
    .flatMap(({ words = [], speakerLabel }) =>
      words.map(({ text, startMs, endMs }) => ({ text, startMs, endMs, label: speakerLabel })),
    );
}

describe('createDeepgramRecognizer', () => {
  it('gives every scripted word once, in order, with its times and speaker', async () => {
    const { peer, recognizer } = await meet([]);
    expect(await hear(recognizer)).toEqual(EXPECTED);
    expect(peer.seen[0]?.authorization).toBe(`Token ${KEY}`);
    expect(Object.fromEntries(peer.seen[0]?.query ?? [])).toEqual({
      model: 'nova-3',
      encoding: 'linear16',
      sample_rate: '16000',
      channels: '1',
      interim_results: 'true',
      smart_format: 'true',
      diarize: 'true',
      endpointing: '300',
      utterance_end_ms: '1000',
      mip_opt_out: 'true',
    });
    expect(peer.seen[0]?.texts).toEqual(['CloseStream']);
  });

  it.each<[string, ConnectionPlan[]]>([
    ['cut in mid-word', [{ fails: { afterMs: 5_100, how: 'cut' } }]],
    ['cut before the first word is final', [{ fails: { afterMs: 600, how: 'cut' } }]],
    ['cut three times', [2_300, 3_000, 1_000].map((afterMs) => ({ fails: { afterMs, how: 'cut' } as const }))],
    ['closed with 1011 NET-0000', [{ fails: { afterMs: 4_500, how: 'close' } }]],
    ['malformed', [{ fails: { afterMs: 4_500, how: 'malformed' } }]],
    ['not JSON', [{ fails: { afterMs: 4_500, how: 'not JSON' } }]],
    ['oversized', [{ fails: { afterMs: 4_500, how: 'oversized' } }]],
    ['slow', [{ isSlow: true }]],
    ['saying everything twice', [{ repeats: true }]],
    ['without speech_final, with UtteranceEnd', [{ withoutSpeechFinal: true }]],
    ['closed without Metadata', [{ fails: { afterMs: 0, how: 'closed without Metadata' } }]],
    ['refused with 503 the second time', [{ fails: { afterMs: 4_500, how: 'cut' } }, { refuses: 503 }]],
  ])('gives every word once, in order, with its times and speaker, from a peer that is %s', async (_what, plans) => {
    const { peer, recognizer } = await meet(plans);
    expect(await hear(recognizer)).toEqual(EXPECTED);
    expect(peer.seen).toHaveLength(1 + plans.filter(({ fails }) => fails !== undefined && fails.afterMs > 0).length);
  });

  it('knows the speakers again although the second one is the first to speak after the reconnect', async () => {
    const { peer, recognizer } = await meet([{ fails: { afterMs: 8_300, how: 'cut' } }]);
    expect(await hear(recognizer)).toEqual(EXPECTED);
    expect(peer.seen).toHaveLength(2);
  });

  it('gives up a connection that takes sound and says nothing for 15 s, and loses no word', async () => {
    const timers = createManualTimers();
    const { peer, recognizer } = await meet([{ fails: { afterMs: 5_000, how: 'stall' } }], { timers });
    const { stream, heard } = await listenTo(recognizer);
    await writeAll(stream, SOUND);
    await vi.waitFor(() => {
      expect(peer.seen[0]?.soundMs).toBeGreaterThanOrEqual(5_000);
    });
    await stream.write(new Float32Array(16));
    timers.advance(SILENT_DEATH_MS + 2_000);
    await vi.waitFor(() => {
      timers.advance(100);
      expect(peer.seen).toHaveLength(2);
    });
    await stream.end();
    expect(heard.errors).toEqual([]);
    expect(
      heard
        .finals()
        .map(({ text }) => text)
        .join(' '),
    ).toBe(SCRIPT.map(({ text }) => text).join(' '));
    stream.close();
  });

  it('sends KeepAlive as text every 4 s without sound, and connects again when it came too late', async () => {
    const timers = createManualTimers();
    const { peer, recognizer } = await meet([], { timers });
    const { stream, heard } = await listenTo(recognizer);
    for (let second = 0; second < 30; second += 1) timers.advance(1_000);
    await vi.waitFor(() => {
      expect(peer.seen[0]?.texts).toEqual(Array<string>(7).fill('KeepAlive'));
    });
    peer.seen[0]?.endIdle();
    await vi.waitFor(() => {
      timers.advance(100);
      expect(peer.seen).toHaveLength(2);
    });
    await writeAll(stream, SOUND);
    await stream.end();
    expect(heard.finals().flatMap(({ words = [] }) => words.map(({ startMs }) => startMs))).toEqual(
      SCRIPT.map(({ startMs }) => startMs),
    );
    stream.close();
  });

  it('asks for what was said with Finalize', async () => {
    const { peer, recognizer } = await meet([]);
    const { stream, heard } = await listenTo(recognizer);
    await writeAll(stream, SOUND.subarray(0, 1_200 * 16));
    stream.finalize();
    await vi.waitFor(() => {
      expect(heard.finals().map(({ text }) => text)).toEqual(['Good morning everyone.']);
    });
    expect(peer.seen[0]?.texts).toEqual(['Finalize']);
    stream.close();
  });

  it.each([
    [
      'the sound is refused (1008 DATA-0000)',
      [{ fails: { afterMs: 3_000, how: 'close', code: 1008, reason: 'DATA-0000: bad' } }],
    ],
    ['the second connection is refused (400)', [{ fails: { afterMs: 3_000, how: 'cut' } }, { refuses: 400 }]],
    ['no connection brings anything', Array<ConnectionPlan>(20).fill({ fails: { afterMs: 100, how: 'cut' } })],
  ] satisfies [string, ConnectionPlan[]][])(
    'fails once, says why and keeps the finals when %s',
    async (_what, plans) => {
      const { peer, recognizer } = await meet(plans);
      const { stream, heard } = await listenTo(recognizer);
      await writeAll(stream, SOUND);
      await stream.end();
      expect(heard.errors.map(({ code }) => code)).toEqual(['RECOGNIZER_FAILED']);
      expect(heard.errors[0]?.message).not.toMatch(/bad|morning|secret/iu);
      expect(peer.seen.length).toBeLessThanOrEqual(MAX_ATTEMPTS);
      expect(() => stream.write(new Float32Array(16))).toThrow(TypeError);
      stream.close();
    },
  );

  it.each([
    [401, 'RECOGNIZER_MISSING'],
    [403, 'RECOGNIZER_MISSING'],
    [400, 'RECOGNIZER_FAILED'],
    [429, 'RECOGNIZER_FAILED'],
  ])('rejects when HTTP %d refuses the first connection, with code %s and without the key', async (refuses, code) => {
    const { recognizer } = await meet([{ refuses }]);
    const error: unknown = await listenTo(recognizer).catch((reason: unknown) => reason);
    expect(error).toMatchObject({ code });
    expect(String(error)).not.toContain(KEY);
  });

  it('rejects when nobody listens', async () => {
    const { peer, recognizer } = await meet([]);
    await peer.close();
    closing.shift();
    await expect(listenTo(recognizer)).rejects.toMatchObject({ code: 'RECOGNIZER_FAILED' });
  });

  it('fails when the last results do not come', async () => {
    const timers = createManualTimers();
    const { peer, recognizer } = await meet([{ fails: { afterMs: 2_000, how: 'stall' } }], { timers });
    const { stream, heard } = await listenTo(recognizer);
    await writeAll(stream, SOUND.subarray(0, 2_000 * 16));
    await vi.waitFor(() => {
      expect(peer.seen[0]?.soundMs).toBe(2_000);
    });
    const ended = stream.end();
    timers.advance(END_TIMEOUT_MS - 2_000);
    expect(heard.errors).toEqual([]);
    for (let second = 0; second < 4; second += 1) timers.advance(1_000);
    await ended;
    expect(heard.errors.map(({ code }) => code)).toEqual(['RECOGNIZER_FAILED']);
    expect(timers.waiting()).toBe(0);
    stream.close();
  });

  it('needs a key', async () => {
    await expect(createDeepgramRecognizer({ apiKey: ' ' })).rejects.toMatchObject({ code: 'RECOGNIZER_MISSING' });
  });
});

describeRecognizer('deepgram', {
  isScripted: true,
  create: async () => {
    const peer = await startDeepgramPeer(SCRIPT.slice(0, 8));
    const recognizer = await createDeepgramRecognizer({ apiKey: KEY, url: peer.url });
    return {
      ...recognizer,
      close: async () => {
        await recognizer.close();
        if (!closed.has(peer)) await peer.close();
        closed.add(peer);
      },
    };
  },
  speech: async () => toSound(SCRIPT.slice(0, 8), 4_000),
});
const closed = new Set<DeepgramPeer>();
