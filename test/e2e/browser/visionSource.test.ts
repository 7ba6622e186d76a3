import { describe, expect } from 'vitest';
import { buildPoseTask } from '../../../adapters/vision/mediapipe/buildPoseTask.ts';
import { itInChromium } from '../../support/chromium.ts';
import type { PixelPicture } from '../../support/callVideo.ts';
import { flat, noise, turned } from '../../support/oddPictures.ts';
import { bodyPicture } from '../../support/scriptedMoves.ts';
import { type PageSighting, type VisionTab, withVisionPage } from '../../support/visionPage.ts';

const SCRIPT = 'text/javascript';
type Log = { readonly sightings: readonly PageSighting[]; readonly faults: readonly string[] };
type Asked = {
  readonly urls?: object;
  readonly modalities?: readonly string[];
  readonly workerUrl?: string;
  readonly isPlayed?: boolean;
};

/** Starts a source that looks at a figure whose arms go up and down. */
function startSource({ site, urls, call }: VisionTab, asked: Asked = {}): Promise<string> {
  const figure = Array.from({ length: 30 }, (_, step) => bodyPicture(step));
  return call('startSource', { modalities: ['body'], urls, pictures: site.servePictures('figure', figure), ...asked });
}

describe('createLandmarkSource in Chromium', () => {
  for (const { title, isPlayed } of [
    { title: 'reads frames of a track', isPlayed: false },
    { title: 'reads a track that a video element plays, where frames cannot be had', isPlayed: true },
  ])
    itInChromium(`${title}: at most ten a second, in order, on the clock of the page, and nothing once stopped`, () =>
      withVisionPage(async (tab) => {
        const { call } = tab;
        const beganMs = await call<number>('now');
        expect(await startSource(tab, { isPlayed })).toBe('started');
        await call('logHas', { rows: 8 });
        await call('stopSource');
        const { sightings, faults } = await call<Log>('log');
        const times = sightings.map(({ atMs }) => atMs);
        expect(times[0]).toBeGreaterThan(beganMs);
        expect(times.at(-1)).toBeLessThan(await call<number>('now'));
        for (const [i, atMs] of times.entries()) if (i > 0) expect(atMs - (times[i - 1] ?? 0)).toBeGreaterThan(40);
        expect((times.at(-1) ?? 0) - (times[0] ?? 0)).toBeGreaterThan((times.length - 1) * 85);
        expect(faults).toEqual([]);
        // Time in which a source that was not stopped would see more.
        await call('open', ['body'], tab.urls);
        await call('examine', tab.site.servePictures('later', [bodyPicture(0), bodyPicture(5), bodyPicture(9)]));
        expect((await call<Log>('log')).sightings).toHaveLength(sightings.length);
      }),
    );

  itInChromium('replaces a worker that ends: the picture on its way is vision_down, it is said, and rows go on', () =>
    withVisionPage(async (tab) => {
      const { site, call } = tab;
      let started = 0;
      const dying = `let looks = 0;
        addEventListener('message', (event) => {
          if (event.data.type !== 'look' || ++looks < 3) return;
          event.stopImmediatePropagation();
          throw new Error('ends');
        });`;
      site.serve('/dying.js', () => Buffer.from(started++ === 0 ? dying : ''), SCRIPT);
      site.serve('/dyingWorker.js', () => Buffer.from("import './dying.js'; import './visionWorker.js';"), SCRIPT);
      expect(await startSource(tab, { workerUrl: '/dyingWorker.js' })).toBe('started');
      await call('logHas', { rows: 6, faults: 1 });
      const { sightings, faults } = await call<Log>('log');
      expect(faults).toEqual(['VISION_DOWN']);
      expect(started).toBe(2);
      const reasons = sightings.map(({ reason }) => reason ?? 'row');
      expect(reasons.filter((reason) => reason !== 'row')).toEqual(['vision_down']);
      expect(reasons.indexOf('vision_down')).toBeLessThan(reasons.length - 1);
    }),
  );

  itInChromium('ends a worker that says nothing', () =>
    withVisionPage(async ({ site, call }) => {
      site.serve('/silentWorker.js', () => Buffer.from('onmessage = () => undefined;'), SCRIPT);
      expect(await call('openSilent', '/silentWorker.js', 100)).toMatch(/^the thread ended: .*, ended$/);
    }),
  );

  itInChromium('refuses a model or WebAssembly with one flipped byte, and says what does not come', () =>
    withVisionPage(async (tab) => {
      const { site, urls, call } = tab;
      const flipped = async (): Promise<Uint8Array> => {
        const model = Uint8Array.from(await buildPoseTask());
        model[2_000_000] = (model[2_000_000] ?? 0) ^ 1;
        return model;
      };
      site.serve('/models/flipped', flipped);
      expect(await startSource(tab, { urls: { ...urls, body: `${site.url}models/flipped` } })).toBe('BAD_MODEL');
      expect(await startSource(tab, { urls: { ...urls, body: `${site.url}models/none` } })).toBe('VISION_DOWN');
      expect(await startSource(tab, { urls: { ...urls, wasmUrl: `${site.url}nowhere/` } })).toBe('VISION_DOWN');
      expect(await startSource(tab, { workerUrl: '/noWorker.js' })).toBe('VISION_DOWN');
      site.serve('/wasm/vision_wasm_module_internal.wasm', () => new Uint8Array(11_153_641), 'application/wasm');
      expect(await startSource(tab)).toBe('BAD_MODEL');
      expect((await call<Log>('log')).sightings).toEqual([]);
    }),
  );

  itInChromium('answers what has no model with no_extractor, and refuses what a caller gets wrong', () =>
    withVisionPage(async (tab) => {
      const { urls, call } = tab;
      for (const modalities of [[], ['text'], ['body', 'body']])
        expect(await startSource(tab, { modalities })).toBe('TypeError');
      const { wasmUrl } = urls;
      expect(await startSource(tab, { urls: { wasmUrl } })).toBe('started');
      await call('logHas', { sightings: 2 });
      const { sightings } = await call<Log>('log');
      expect(new Set(sightings.map(({ reason }) => reason))).toEqual(new Set(['no_extractor']));
      expect(await call('startOnSound')).toBe('TypeError');
      await call('closeSource');
      await call('closeSource');
      expect(await call('startOnSound')).toBe('TypeError');
    }),
  );

  itInChromium(
    'answers pictures that show nobody, are tiny, huge, turned, doubled or out of order, and finds its way back',
    () =>
      withVisionPage(async ({ site, urls, call }) => {
        await call('open', ['body'], urls);
        const good = bodyPicture(0);
        const pictures: PixelPicture[] = [
          good,
          { ...flat(640, 480, 0), atMs: 100 },
          { ...noise(640, 480), atMs: 233 },
          { ...flat(1, 1, 128), atMs: 300 },
          { ...good, atMs: 233 },
          { ...good, atMs: 50 },
          { ...flat(7_680, 4_320, 128), atMs: 301.5 },
          { ...turned(good), atMs: 900 },
          { ...good, atMs: 1_700 },
          { ...good, atMs: 1_733 },
        ];
        const seen = await call<PageSighting[]>('examine', site.servePictures('bad', pictures));
        const answers = seen.map(({ row, reason }) => (row?.every(Number.isFinite) === true ? 'row' : reason));
        expect(answers.toSpliced(7, 1)).toEqual([
          'row',
          'low_light',
          'no_body',
          'no_body',
          'late',
          'late',
          'no_body',
          'row',
          'row',
        ]);
      }),
  );
});
