import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createFfmpegReader } from '../../adapters/media/ffmpeg/createFfmpegReader.ts';
import { createKey, hashKey } from '../../src/server/keys.ts';
import { connectPeer, producerWelcome } from '../support/livePeer.ts';
import { PCM } from '../support/liveServer.ts';
import { CALL, type RunningCommand, startCommand, TINY } from './call.ts';

/** As much of the bundled call as a server takes at once: it stops reading 15 s ahead of the clock. */
const CALL_MS = 13_000;
const SAMPLES_PER_FRAME = 1_600;
const KEY = createKey();
type Created = { readonly session: string; readonly tokens: Record<'produce' | 'consume', { readonly token: string }> };

let folder: string;
let voices: readonly Uint8Array[][];
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'undertone-live-'));
  const key = { id: 'test', sha256: hashKey(KEY).toString('hex'), scopes: ['produce', 'consume', 'admin'] };
  writeFileSync(join(folder, 'server.json'), JSON.stringify({ keys: [key] }));
  voices = await Promise.all(['ada', 'ben'].map(readVoice));
});
afterAll(() => rmSync(folder, { recursive: true }));

/** The sound of a participant in frames of 100 ms. */
async function readVoice(name: string): Promise<Uint8Array[]> {
  const pcm = new Int16Array(16 * CALL_MS);
  let at = 0;
  for await (const { samples } of createFfmpegReader().decodeAudio(join(CALL, `${name}.mp4`)))
    for (const sample of samples) if (at < pcm.length) pcm[at++] = Math.round(sample * 32_767);
  return Array.from({ length: pcm.length / SAMPLES_PER_FRAME }, (_, i) =>
    Uint8Array.from(new Uint8Array(pcm.buffer, 2 * SAMPLES_PER_FRAME * i, 2 * SAMPLES_PER_FRAME)),
  );
}

async function serve(): Promise<{ readonly url: string; readonly stop: () => Promise<void> }> {
  const config = join(folder, 'server.json');
  const running: RunningCommand = startCommand(['serve', '--port', '0', '--config', config, '--weights', TINY]);
  const [, url = ''] = await running.warned(/listening on (\S+)/);
  const stop = async (): Promise<void> => {
    running.signalGroup('SIGTERM');
    await running.done;
  };
  return { url, stop };
}

/** A session with tokens of its own: both voices, words of the first; returns its final answers. */
async function hold(url: string): Promise<readonly unknown[]> {
  const headers = { authorization: `Bearer ${KEY}`, 'content-type': 'application/json' };
  const created = await fetch(`${url.replace('ws', 'http')}/v1/sessions`, { method: 'POST', headers, body: '{}' });
  const { session, tokens } = (await created.json()) as Created;
  const producer = await connectPeer(url, { token: tokens.produce.token });
  const participants = ['Ada', 'Ben'].map((name) => ({ id: name, name }));
  const streams = participants.map(({ id }, number) => ({
    streamId: id,
    number,
    participant: id,
    kind: 'audio',
    format: PCM,
  }));
  const words = { streamId: 'words', number: 2, participant: 'Ada', kind: 'captions' };
  producer.say({ type: 'hello', v: 1, session, participants, streams: [...streams, words] });
  await producerWelcome(producer);
  const reader = await connectPeer(url, { path: '/v1/feed', token: tokens.consume.token });
  reader.say({ type: 'hello', v: 1 });
  await reader.next('welcome');
  const text = 'Hi Ben, shall we go through the plan for Saturday?';
  producer.say({ type: 'transcript', streamId: 'words', sequence: 0, isFinal: true, startMs: 700, endMs: 3_551, text });
  for (let i = 0; i < CALL_MS / 100; i++)
    voices.forEach((frames, number) =>
      producer.frame({ number, sequence: i, mediaMs: 100 * i, payload: frames[i] ?? new Uint8Array(2) }),
    );
  producer.say({ type: 'bye' });
  await reader.closed;
  return reader.insights.flatMap((one) =>
    one.type === 'utterance' && one.status === 'final'
      ? [
          [
            one.utteranceId,
            one.speaker,
            one.startMs,
            one.endMs,
            one.text,
            one.label,
            one.probabilities,
            one.modalityWeights,
          ],
        ]
      : [],
  );
}

describe.skipIf(process.platform === 'win32')('undertone serve', () => {
  it('gives two sessions, two more after them, and two of a fresh process the same answers', async () => {
    const first = await serve();
    const two = await Promise.all([hold(first.url), hold(first.url)]);
    const twoMore = await Promise.all([hold(first.url), hold(first.url)]);
    await first.stop();
    const second = await serve();
    const twoAfresh = await Promise.all([hold(second.url), hold(second.url)]);
    await second.stop();
    const [answers] = two;
    expect(answers.length).toBeGreaterThan(2);
    expect(answers.map((answer) => (answer as unknown[])[4])).toContain(
      'Hi Ben, shall we go through the plan for Saturday?',
    );
    for (const other of [...two, ...twoMore, ...twoAfresh]) expect(other).toEqual(answers);
  }, 120_000);
});
