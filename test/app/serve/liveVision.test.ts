import { join } from 'node:path';
import { afterEach, beforeAll, describe, expect, it } from 'vitest';
import { buildPoseTask } from '../../../adapters/vision/mediapipe/buildPoseTask.ts';
import { createMediapipeExtractor } from '../../../adapters/vision/mediapipe/createMediapipeExtractor.ts';
import { type NodeThread, startNodeThread } from '../../../adapters/vision/mediapipe/startNodeThread.ts';
import { createVision } from '../../../src/app/models/createVision.ts';
import { modelsFolder } from '../../../src/app/models/modelStore.ts';
import { ADAPTERS } from '../../../src/app/adapters.ts';
import { openLooking, type OpenLooking } from '../../../src/app/models/openLooking.ts';
import { createLiveAnalysis } from '../../../src/app/serve/analyzeLive.ts';
import { startTensorBackend } from '../../../src/app/tensorBackend.ts';
import type { VisionExtractor } from '../../../src/adapter.ts';
import type { Modality } from '../../../src/domain/modality.ts';
import { createEmotionModel } from '../../../src/model/conversation.ts';
import type { LiveServer } from '../../../src/server/liveServer.ts';
import { type CallMoment, callMoments, microphoneAndCamera } from '../../support/liveCall.ts';
import { connectPeer, type LivePeer, producerWelcome } from '../../support/livePeer.ts';
import { startTestServer } from '../../support/liveServer.ts';
import { TINY, tinyWeights } from '../../support/tinyModel.ts';

const shared = process.env['UNDERTONE_SHARED'];
const folder = shared === undefined ? modelsFolder({}) : join(shared, 'models');
/** Pictures sent of every 100 ms: each stands for 300 ms before and after it. */
const EVERY = 4;
/** Ada says a sentence until then. */
const END_MS = 4_400;

let server: LiveServer | undefined;
let vision: OpenLooking | undefined;
let moments: readonly CallMoment[];
beforeAll(async () => {
  moments = await callMoments('ada', { endMs: END_MS, every: EVERY });
});
afterEach(async () => {
  await server?.close();
  await vision?.close();
  server = vision = undefined;
});

/** An extractor that tells when it has seen something, so that a test can send as fast as pictures are looked at. */
function watched(extractor: VisionExtractor) {
  const waiting: (() => void)[] = [];
  const opened: string[] = [];
  const open: VisionExtractor['open'] = (options) => {
    opened.push(options.modalities.join('+'));
    return extractor.open({
      ...options,
      onSightings: (sightings) => {
        options.onSightings?.(sightings);
        for (const tell of waiting.splice(0)) tell();
      },
    });
  };
  const seen = (): Promise<void> => new Promise((resolve) => waiting.push(resolve));
  return { extractor: { ...extractor, open }, seen, opened };
}

/** A server that looks, with a model that hears faces and bodies; `roles` is its policy. */
async function start(roles: Record<string, readonly Modality[]> = {}, extractor = createVision(folder)) {
  const { name: backend } = await startTensorBackend('cpu');
  const eyes = watched(extractor);
  vision = await openLooking('none', {}, async () => eyes.extractor);
  const [text, prosody] = TINY.inputs;
  const looks = TINY.inputs.filter(({ name }) => name === 'face' || name === 'body');
  const inputs = [text, prosody, ...looks.map((input) => ({ ...input, dim: input.name === 'face' ? 52 : 28 }))];
  const model = createEmotionModel(tinyWeights({ ...TINY, inputs: inputs.filter((input) => input !== undefined) }));
  const vad = await ADAPTERS.vad();
  const analyze = createLiveAnalysis({
    vad,
    model,
    weights: 'tiny',
    backend,
    privacy: 'none',
    looking: vision.looking,
  });
  server = await startTestServer({ policy: { roles } }, { analyze, vision: vision.looking?.modalities });
  return { url: server.url, seen: eyes.seen, opened: eyes.opened };
}

/** Sends sound and pictures of Ada from the moment `from` until `to`; after a picture waits for `seen`. */
async function send(
  peer: LivePeer,
  { number = 0, from = 0, to = moments.length, seen = async (): Promise<void> => undefined } = {},
): Promise<void> {
  for (const [n, { atMs, pcm, jpeg }] of moments.slice(from, to).entries()) {
    const isSeen = jpeg && seen();
    if (jpeg) peer.frame({ number: number + 1, sequence: (from + n) / EVERY, mediaMs: atMs, payload: jpeg });
    peer.frame({ number, sequence: from + n, mediaMs: atMs, payload: pcm });
    await isSeen;
  }
}
const hello = () => ({
  type: 'hello',
  v: 1,
  session: 'talk',
  participants: [{ id: 'ada', name: 'Ada' }],
  streams: microphoneAndCamera('ada'),
});
async function insightsOf(url: string) {
  const reader = await connectPeer(url, { path: '/v1/feed' });
  reader.say({ type: 'hello', v: 1, session: 'talk' });
  await reader.closed;
  return reader.insights;
}
async function finalsOf(url: string) {
  const utterances = (await insightsOf(url)).filter((one) => one.type === 'utterance');
  return utterances.filter(({ status }) => status === 'final');
}

describe('pictures of a live call', () => {
  it('become faces and bodies of what is said meanwhile', async () => {
    const { url, seen } = await start();
    const producer = await connectPeer(url);
    producer.say(hello());
    const read = shared === undefined ? ['body'] : ['face', 'body'];
    expect((await producerWelcome(producer)).vision).toEqual(read);
    expect(await (await fetch(`${url.replace('ws', 'http')}/healthz`)).json()).toMatchObject({ vision: read });
    await send(producer, { seen });
    producer.say({ type: 'bye' });
    const insights = await insightsOf(url);
    expect(insights[0]).toMatchObject({ type: 'session', vision: read });
    const finals = insights.filter((one) => one.type === 'utterance').filter(({ status }) => status === 'final');
    expect(finals.length).toBeGreaterThanOrEqual(1);
    for (const { availability, modalityWeights } of finals) {
      expect(availability.body.share).toBeGreaterThan(0.9);
      expect(modalityWeights.body).toBeGreaterThan(0);
      if (shared === undefined) expect(availability.face.share).toBe(0);
      else expect([availability.face.share > 0.9, modalityWeights.face > 0]).toEqual([true, true]);
    }
  });

  it('go on being looked at when the thread that looks ends, which is said', async () => {
    const threads: NodeThread[] = [];
    const startThread = (): NodeThread => {
      const thread = startNodeThread();
      threads.push(thread);
      return thread;
    };
    const models = { body: buildPoseTask };
    const { url, seen } = await start({}, createMediapipeExtractor({ models, threads: 1, startThread }));
    const producer = await connectPeer(url);
    producer.say(hello());
    await producerWelcome(producer);
    await send(producer, { to: 16, seen });
    await threads[0]?.end();
    await send(producer, { from: 16, seen });
    producer.say({ type: 'bye' });
    const insights = await insightsOf(url);
    const faults = insights.flatMap((one) => (one.type === 'fault' ? [[one.code, one.streamId]] : []));
    expect(faults).toEqual([['VISION_DOWN', 'cam-ada']]);
    const finals = insights.filter((one) => one.type === 'utterance').filter(({ status }) => status === 'final');
    expect(finals.map(({ availability }) => availability.body.share > 0.9)).toEqual([true]);
    expect(threads).toHaveLength(2);
  });

  it('of those who do not consent, or whose role may not be looked at, are never looked at', async () => {
    const { url, opened } = await start({ guest: ['text', 'audio'] });
    const producer = await connectPeer(url);
    producer.say({
      ...hello(),
      participants: [
        { id: 'ada', name: 'Ada', consent: ['text', 'audio'] },
        { id: 'gus', name: 'Gus', role: 'guest' },
      ],
      streams: [...microphoneAndCamera('ada'), ...microphoneAndCamera('gus', 2)],
    });
    await producerWelcome(producer);
    for (const number of [0, 2]) await send(producer, { number });
    producer.say({ type: 'bye' });
    const finals = await finalsOf(url);
    const reasons = new Set(
      finals.map(({ speaker, availability: { face, body } }) => `${speaker.id} ${face.reason} ${body.reason}`),
    );
    expect([...reasons].sort()).toEqual(['Ada consent consent', 'Gus privacy privacy']);
    expect(opened).toEqual([]);
  });

  it('are no longer looked at once consent is withdrawn, and what was kept of them is let go', async () => {
    const { url, seen, opened } = await start();
    const producer = await connectPeer(url);
    producer.say(hello());
    await producerWelcome(producer);
    await send(producer, { to: 20, seen });
    producer.say({ type: 'consent', participant: 'ada', modalities: ['text', 'audio'] });
    await producer.next('policy');
    await send(producer, { from: 20 });
    producer.say({ type: 'bye' });
    const insights = await insightsOf(url);
    expect(opened).toHaveLength(1);
    const finals = insights.filter((one) => one.type === 'utterance').filter(({ status }) => status === 'final');
    expect(finals.map(({ availability }) => availability.body)).toEqual(
      finals.map(() => ({ share: 0, reason: 'consent' })),
    );
    const body = insights.filter((one) => one.type === 'modality').filter(({ modality }) => modality === 'body');
    expect(body.map(({ state, reason }) => reason ?? state).slice(-2)).toEqual(['present', 'consent']);
  });
});
