import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Browser, Page } from 'playwright-core';
import { afterAll, afterEach, describe, expect } from 'vitest';
import { toWav } from '../../../fixtures/prosody/wav.ts';
import { startCaptureSite } from '../../support/captureSite.ts';
import { itInChromium, launchChromium } from '../../support/chromium.ts';
import {
  startFakeLiveServer,
  type FakeConnection,
  type FakeLiveServer,
  type Heard,
} from '../../support/fakeLiveServer.ts';

const TONE_HZ = 440;
let browser: Browser | undefined;
let folder: string | undefined;
let site: Awaited<ReturnType<typeof startCaptureSite>> | undefined;
let server: FakeLiveServer;
let page: Page;
let connection: FakeConnection;

/** A page in a browser whose microphone hears a tone of 440 Hz and whose camera sees a test picture, and the server it talks to. */
async function openPage(): Promise<void> {
  folder ??= await mkdtemp(join(tmpdir(), 'undertone-capture-'));
  const wav = join(folder, 'tone.wav');
  const tone = Float32Array.from({ length: 48_000 }, (_, i) => 0.5 * Math.sin((2 * Math.PI * TONE_HZ * i) / 48_000));
  await writeFile(wav, toWav(tone, 48_000));
  site ??= await startCaptureSite();
  browser ??= await launchChromium([
    '--use-fake-device-for-media-stream',
    '--use-fake-ui-for-media-stream',
    `--use-file-for-fake-audio-capture=${wav}`,
    '--autoplay-policy=no-user-gesture-required',
  ]);
  server = await startFakeLiveServer();
  page = await browser.newPage();
  await page.goto(site.url);
  const connected = call('connect', server.url);
  connection = await server.connection();
  await connection.welcomeProducer();
  await connected;
}

/** Calls what the page offers to tests. */
function call(name: string, ...args: readonly unknown[]): Promise<unknown> {
  return page.evaluate(`capturePage.${name}(${args.map((arg) => JSON.stringify(arg) ?? 'undefined').join(', ')})`);
}

/** The next message or frame for which `isIt` holds; what comes before is passed over. */
async function hear(isIt: (heard: Heard) => boolean): Promise<Heard> {
  for (;;) {
    const heard = await connection.next();
    if (isIt(heard)) return heard;
  }
}
const hearMessage = (type: string): Promise<Heard> => hear((heard) => heard.type === type);
const log = async (): Promise<Record<string, unknown[]>> => (await call('log')) as Record<string, unknown[]>;
const fieldsOf = (heard: Heard): Record<string, unknown> => heard;
const samplesOf = (heard: readonly Heard[]): number[] =>
  heard.flatMap((one) => [...new Int16Array((one['payload'] as Uint8Array).slice().buffer)]);

const itInPage = (title: string, body: () => Promise<void>): void =>
  itInChromium(title, async () => {
    await openPage();
    await body();
  });

afterEach(async () => {
  await page?.close();
  await server?.close();
});
afterAll(async () => {
  await browser?.close();
  await site?.close();
  if (folder !== undefined) await rm(folder, { recursive: true });
});

describe('a microphone in Chromium', () => {
  itInPage('sends PCM16 at 16 kHz in frames of 20 ms, whatever the rate of its context', async () => {
    expect(await call('startMicrophone', 44_100)).toBe('started');
    await hear((heard) => heard.type === 'frame' && samplesOf([heard]).some((sample) => sample !== 0));
    const frames = await connection.take(100);
    expect(frames.every(({ type, number }) => type === 'frame' && number === 0)).toBe(true);
    const samples = samplesOf(frames);
    await writeFile(
      '/tmp/samples.json',
      JSON.stringify({
        samples,
        times: frames.map((f) => f['mediaMs']),
        len: frames.map((f) => (f['payload'] as Uint8Array).length),
      }),
    );
    expect(samples.length / frames.length).toBeGreaterThan(310);
    expect(samples.length / frames.length).toBeLessThan(330);
    expect(pitchOf(samples)).toBeGreaterThan(TONE_HZ - 5);
    expect(pitchOf(samples)).toBeLessThan(TONE_HZ + 5);
    expect(Math.max(...samples) / 32_767).toBeGreaterThan(0.4);
    const times = frames.map(({ mediaMs }) => Number(mediaMs));
    expect(times.every((ms, i) => i === 0 || ms > (times[i - 1] ?? 0))).toBe(true);
  });

  itInPage('is muted and unmuted by the page and by the system, and says so', async () => {
    await call('startMicrophone');
    await hear(({ type }) => type === 'frame');
    await call('microphone', 'mute');
    expect(await hearMessage('state')).toMatchObject({ streamId: 'mic', state: 'muted' });
    expect(connection.pending).toEqual([]);
    await call('tellOfDevice', 'mute');
    await call('microphone', 'unmute');
    await call('tellOfDevice', 'unmute');
    expect(await connection.next()).toMatchObject({ type: 'state', streamId: 'mic', state: 'live' });
    await hear(({ type }) => type === 'frame');
    expect((await log())['states']).toEqual(['live', 'muted', 'interrupted', 'live']);
  });

  itInPage('goes on with another device when its own goes, on the same stream', async () => {
    await call('startMicrophone');
    await hear(({ type }) => type === 'frame');
    await call('tellOfDevice', 'ended');
    await expect.poll(async () => (await call('inUse')) as boolean[]).toHaveLength(2);
    const heard = await connection.take(100);
    expect(new Set(heard.map(({ type, number }) => `${type} ${String(number)}`))).toEqual(new Set(['frame 0']));
    expect((await log())['states']).toEqual(['live']);
  });

  itInPage('ends its stream when no device is left, and begins another one with the next', async () => {
    await call('startMicrophone');
    await hear(({ type }) => type === 'frame');
    await call('refuse', 'NotFoundError');
    await call('tellOfDevice', 'ended');
    expect(await hearMessage('close')).toMatchObject({ streamId: 'mic' });
    await call('devicesChange');
    await call('refuse', undefined);
    await call('devicesChange');
    const opened = await hearMessage('open');
    expect(fieldsOf(opened).streams).toMatchObject([
      { streamId: 'mic.2', number: 3, participant: 'ada', kind: 'audio' },
    ]);
    expect(await hear(({ type }) => type === 'frame')).toMatchObject({ number: 3, sequence: 0 });
    expect((await log())['states']).toEqual(['live', 'lost', 'live']);
  });

  itInPage('lets go of the device when it is stopped, and when the producer is closed', async () => {
    await call('startMicrophone');
    await call('microphone', 'stop');
    expect(await hearMessage('close')).toMatchObject({ streamId: 'mic' });
    expect(await call('inUse')).toEqual([false]);
    await page.reload();
    const connected = call('connect', server.url);
    connection = await server.connection();
    await connection.welcomeProducer();
    await connected;
    await call('startMicrophone');
    await call('close');
    expect(await call('inUse')).toEqual([false]);
    expect((await log())['states']).toEqual(['live', 'stopped']);
  });

  itInPage('says why it does not start, and keeps no device', async () => {
    await call('refuse', 'NotAllowedError');
    expect(await call('startMicrophone')).toBe('CAPTURE_REFUSED');
    await call('refuse', 'NotReadableError');
    expect(await call('startMicrophone')).toBe('CAPTURE_FAILED');
    await call('refuse', undefined);
    expect(await call('startMicrophone', undefined, '/missing.js')).toBe('CAPTURE_FAILED');
    expect(await call('inUse')).toEqual([]);
  });
});

describe('a camera in Chromium', () => {
  const MODELS = { face: '/face.task', body: '/body.task' };
  const policy = (...modalities: string[]): object => ({
    type: 'policy',
    participants: [{ participant: 'ada', speaker: { id: 'ada', name: 'Ada' }, modalities, refused: [] }],
  });

  itInPage('sends rows, and why there is none, and never a picture', async () => {
    expect(await call('startCamera', MODELS)).toBe('started');
    await expect.poll(async () => (await log())['sources']).toMatchObject([{ looksAt: 1 }]);
    await call('see', [
      { modality: 'face', row: 1 },
      { modality: 'body', row: 2 },
    ]);
    await call('see', [
      { modality: 'face', reason: 'face_turned' },
      { modality: 'body', row: 3 },
    ]);
    const heard = await connection.take(4);
    expect(heard.map(({ type, number, sequence }) => [type, number, sequence])).toEqual([
      ['frame', 1, 0],
      ['frame', 2, 0],
      ['sightless', undefined, 1],
      ['frame', 2, 1],
    ]);
    expect(heard.map(({ payload }) => (payload as Uint8Array | undefined)?.length)).toEqual([208, 112, undefined, 112]);
    expect(heard[2]).toMatchObject({ streamId: 'face', reason: 'face_turned' });
    expect((await log())['asked']).toMatchObject([{ video: { width: { ideal: 640 } } }]);
  });

  itInPage('lets go of the device while it is off, says so, and looks again when it is on', async () => {
    await call('startCamera', MODELS);
    await call('camera', 'off');
    const states = await connection.take(2);
    expect(states).toMatchObject([
      { streamId: 'face', state: 'camera_off' },
      { streamId: 'body', state: 'camera_off' },
    ]);
    expect(await call('inUse')).toEqual([false]);
    await call('refuse', 'NotAllowedError');
    await expect(call('camera', 'on')).rejects.toThrow('the camera is not allowed');
    await call('refuse', undefined);
    await call('camera', 'on');
    expect(await connection.take(2)).toMatchObject([
      { streamId: 'face', state: 'live' },
      { streamId: 'body', state: 'live' },
    ]);
    expect(await call('inUse')).toEqual([false, true]);
    await call('see', [{ modality: 'body', row: 1 }]);
    expect(await connection.next()).toMatchObject({ type: 'frame', number: 2 });
    expect((await log())['states']).toEqual(['live', 'muted', 'live']);
    expect((await log())['sources']).toMatchObject([{ isClosed: false, looksAt: 2 }]);
  });

  itInPage('does not look for what is not agreed to, or what the server may not use', async () => {
    await call('startCamera', MODELS);
    await call('consent', ['text', 'audio', 'body']);
    connection.send(policy('text', 'audio', 'body'));
    await expect
      .poll(async () => (await log())['sources'])
      .toMatchObject([
        { modalities: ['face', 'body'], isClosed: true },
        { modalities: ['body'], isClosed: false, looksAt: 1 },
      ]);
    connection.send(policy('text'));
    await expect.poll(async () => (await log())['sources']).toMatchObject([{ isClosed: true }, { isClosed: true }]);
    expect(connection.pending.map(({ type }) => type)).toEqual(['consent']);
  });

  itInPage('says what it cannot read: no model, or a reader that does not start', async () => {
    await call('startCamera', { body: '/body.task' });
    expect(await hearMessage('sightless')).toMatchObject({ streamId: 'face', reason: 'no_extractor' });
    await expect.poll(async () => (await log())['sources']).toMatchObject([{ modalities: ['body'] }]);
    await call('camera', 'stop');
    await page.reload();
    const connected = call('connect', server.url);
    connection = await server.connection();
    await connection.welcomeProducer();
    await connected;
    await call('failSources', true);
    await call('startCamera', MODELS);
    expect(await hearMessage('sightless')).toMatchObject({ reason: 'vision_down' });
    expect((await log())['faults']).toEqual(['VISION_DOWN']);
  });

  itInPage('ends its streams when no device is left, and begins others with the next', async () => {
    await call('startCamera', MODELS);
    await call('refuse', 'NotFoundError');
    await call('tellOfDevice', 'ended');
    expect((await connection.take(2)).map((heard) => [heard.type, fieldsOf(heard).streamId])).toEqual([
      ['close', 'face'],
      ['close', 'body'],
    ]);
    await call('refuse', undefined);
    await call('devicesChange');
    expect((await connection.take(2)).map((heard) => fieldsOf(heard).streams)).toMatchObject([
      [{ streamId: 'face.2', number: 3 }],
      [{ streamId: 'body.2', number: 4 }],
    ]);
    await call('see', [{ modality: 'face', row: 1 }]);
    expect(await connection.next()).toMatchObject({ type: 'frame', number: 3, sequence: 0 });
    await call('camera', 'stop');
    expect((await connection.take(2)).map((heard) => fieldsOf(heard).streamId)).toEqual(['face.2', 'body.2']);
    expect(await call('inUse')).toEqual([false, false]);
  });
});

/** Hz of a tone at 16 kHz, by how often it rises from well below 0 to well above; the file that is heard has a seam each second. */
function pitchOf(samples: readonly number[]): number {
  const rises: number[] = [];
  let isLow = false;
  samples.forEach((sample, i) => {
    if (isLow && sample > 4_000) rises.push(i);
    isLow = sample < -4_000 || (isLow && sample <= 4_000);
  });
  return (16_000 * (rises.length - 1)) / ((rises.at(-1) ?? 0) - (rises[0] ?? 0));
}
