import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { ADAPTERS } from '../../src/app/adapters.ts';
import { runServe } from '../../src/app/commands/serve.ts';
import type { Insight, UtteranceInsight } from '../../src/domain/insight.ts';
import { connectPeer, producerWelcome } from '../support/livePeer.ts';
import { FRAME_MS, PCM } from '../support/liveServer.ts';
import { hasPocketsphinx } from '../support/pocketsphinx.ts';
import { wordErrorRate } from '../support/wordErrorRate.ts';
import { SAID } from './said.ts';

const shared = process.env['UNDERTONE_SHARED'];
/** After the recording comes the noise of its room, so that its last utterance ends as others do. */
const TAIL_MS = 1_500;
/** Before anybody speaks in it. */
const ROOM_MS = 250;

type Heard = { readonly insight: Insight; readonly atMs: number };

/** Starts `undertone serve` with options; what it writes to standard error can be read. */
async function serve(
  asr: readonly string[],
): Promise<{ url: string; said: () => string; stop: () => Promise<number> }> {
  const stop = new AbortController();
  let said = '';
  let listening: (url: string) => void = () => undefined;
  const url = new Promise<string>((resolve) => (listening = resolve));
  const write = (text: string): boolean => {
    said += text;
    const found = /listening on (\S+)/u.exec(said)?.[1];
    if (found !== undefined) listening(found);
    return true;
  };
  const output = { write, isTTY: false } as never;
  const terminal = {
    out: output,
    err: output,
    env: process.env,
    stop: stop.signal,
    isInterrupted: () => false,
    whenReady: () => undefined,
    onExit: () => undefined,
  };
  const ended = runServe({ host: '127.0.0.1', port: 0, asr }, terminal);
  return {
    url: await Promise.race([url, ended.then(() => 'nowhere')]),
    said: () => said,
    stop: () => {
      stop.abort();
      return ended;
    },
  };
}

async function soundOf(path: string): Promise<Int16Array> {
  const samples: number[] = [];
  for await (const block of (await ADAPTERS.media()).decodeAudio(path))
    for (const sample of block.samples) samples.push(Math.round(Math.max(-1, Math.min(1, sample)) * 32_767));
  const tail = Array.from({ length: 16 * TAIL_MS }, (_, index) => samples[index % (16 * ROOM_MS)] ?? 0);
  return Int16Array.from([...samples, ...tail]);
}

/** Sends sound as a microphone does, one frame each 20 ms; resolves with what a consumer got, and when, on the sound's clock. */
async function talk(url: string, session: string, sound: Int16Array): Promise<readonly Heard[]> {
  const producer = await connectPeer(url);
  const mic = { streamId: 'mic', number: 0, participant: 'p', kind: 'audio', format: PCM } as const;
  producer.say({ type: 'hello', v: 1, session, participants: [{ id: 'p', name: 'Speaker' }], streams: [mic] });
  const { clockMs } = await producerWelcome(producer);
  const consumer = await connectPeer(url, { path: '/v1/feed' });
  const startedMs = performance.now();
  const heard: Heard[] = [];
  consumer.socket.on('message', () => {
    const nowMs = performance.now() - startedMs + clockMs;
    for (const insight of consumer.insights.slice(heard.length)) heard.push({ insight, atMs: nowMs });
  });
  consumer.say({ type: 'hello', v: 1, session });
  const pings = setInterval(() => consumer.say({ type: 'ping', id: 0 }), 5_000);
  const samples = 16 * FRAME_MS;
  for (let sequence = 0; sequence * samples < sound.length; sequence++) {
    const payload = new Uint8Array(sound.slice(sequence * samples, (sequence + 1) * samples).buffer);
    const mediaMs = sequence * FRAME_MS;
    await wait(Math.max(0, mediaMs + FRAME_MS - (performance.now() - startedMs)));
    producer.frame({ number: 0, sequence, mediaMs, payload });
  }
  producer.say({ type: 'bye' });
  await consumer.next('ended').finally(() => clearInterval(pings));
  return heard;
}

/** The last answer of each utterance, in order of time. */
function lastOf(heard: readonly Heard[]): readonly UtteranceInsight[] {
  const last = new Map<string, UtteranceInsight>();
  for (const { insight } of heard) if (insight.type === 'utterance') last.set(insight.utteranceId, insight);
  return [...last.values()].toSorted((a, b) => a.startMs - b.startMs);
}

/** Ms from the end of each utterance's speech to the first answer with words, and from the first speech to the first interim. */
function delaysOf(heard: readonly Heard[]): { readonly interimMs: number; readonly finalMs: readonly number[] } {
  const utterances = lastOf(heard);
  const interim = heard.find(({ insight }) => insight.type === 'interim');
  const finalMs = utterances.flatMap(({ utteranceId, endMs }) => {
    const told = heard.find(
      ({ insight }) => insight.type === 'utterance' && insight.utteranceId === utteranceId && insight.text !== null,
    );
    return told ? [told.atMs - endMs] : [];
  });
  return { interimMs: (interim?.atMs ?? Number.NaN) - (utterances[0]?.startMs ?? 0), finalMs };
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;
}

describe('undertone serve --asr pocketsphinx', () => {
  if (!hasPocketsphinx()) {
    it.skip('skipped: apt-get install libpocketsphinx3 pocketsphinx-en-us');
    return;
  }
  if (shared === undefined) {
    it.skip('skipped: the recordings need UNDERTONE_SHARED.');
    return;
  }

  it('hears two sessions at a time, at real time, and says how many words were wrong and how late they were', async () => {
    const server = await serve(['pocketsphinx']);
    expect(server.said()).toContain('pocketsphinx (low accuracy, for demonstration)');
    const calls = Object.entries(SAID).map(async ([name, said]) => {
      const heard = await talk(server.url, name, await soundOf(join(shared, 'audio', name)));
      return { name, said, heard };
    });
    for (const { name, said, heard } of await Promise.all(calls)) {
      const utterances = lastOf(heard);
      const rate = wordErrorRate(said, utterances.map(({ text }) => text ?? '').join(' '));
      const { interimMs, finalMs } = delaysOf(heard);
      const figures = [interimMs, median(finalMs), Math.max(...finalMs)].map((ms) => `${ms.toFixed(0)} ms`);
      console.log(
        `${name}: word error rate ${(rate * 100).toFixed(0)} %; first interim ${figures[0]} after the beginning of speech; ` +
          `words ${figures[1]} after the end of speech (median), ${figures[2]} at most`,
      );
      expect(rate).toBeLessThan(0.9);
      expect(finalMs.length).toBeGreaterThan(0);
      expect(heard.some(({ insight }) => insight.type === 'interim')).toBe(true);
      const finals = heard.flatMap(({ insight }) =>
        insight.type === 'utterance' && insight.status === 'final' ? [insight.utteranceId] : [],
      );
      expect(finals.toSorted()).toEqual(utterances.map(({ utteranceId }) => utteranceId).toSorted());
    }
    expect(await server.stop()).toBe(0);
  });
});
