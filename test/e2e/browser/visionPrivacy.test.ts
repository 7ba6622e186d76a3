import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect } from 'vitest';
import { BODY_COLUMNS } from '../../../src/features/body/bodyFrame.ts';
import { itInChromium } from '../../support/chromium.ts';
import { bodyPicture } from '../../support/scriptedMoves.ts';
import { itSeesFacesInChromium, type VisionTab, withVisionPage } from '../../support/visionPage.ts';

/** A request of the page or its worker, to wherever, as Chromium's own network log has it. */
type LoggedRequest = { readonly url: string; readonly method: string; readonly hasUpload: boolean };
type NetLog = {
  readonly constants: { readonly logEventTypes: Readonly<Record<string, number>> };
  readonly events: readonly {
    readonly type: number;
    readonly params?: {
      readonly url?: string;
      readonly method?: string;
      readonly upload_id?: string;
      readonly initiator?: string;
    };
  }[];
};

const FACE = /face/i;

describe('what is asked for, and what leaves, while a camera is looked at', () => {
  itInChromium(
    'without faces, no model and no code of faces is asked for, and no request carries anything',
    async () => {
      let largestBytes = NaN;
      const { requests } = await looking(['body'], async ({ call, site }) => {
        await call('logHas', { sightings: 5 });
        const { sightings } = await call<{ sightings: { modality: string; row?: number[] }[] }>('log');
        expect(new Set(sightings.map(({ modality }) => modality))).toEqual(new Set(['body']));
        expect(sightings.every(({ row }) => row?.length === BODY_COLUMNS.length)).toBe(true);
        largestBytes = await call<number>('largestAnswerBytes');
        expect(site.requests.every(({ bodyBytes }) => bodyBytes === 0)).toBe(true);
      });
      const paths = requests.map(({ url }) => new URL(url).pathname);
      expect(paths).toContain('/models/body');
      expect(paths.filter((path) => FACE.test(path))).toEqual([]);
      expect(requests.filter(({ method, hasUpload }) => method !== 'GET' || hasUpload)).toEqual([]);
      expect(Math.max(...requests.map(({ url }) => url.length))).toBeLessThan(100);
      expect(largestBytes).toBe(BODY_COLUMNS.length * 4);
    },
  );

  itSeesFacesInChromium(
    'with faces, the same log has the model and the code of faces, and has what is sent',
    async () => {
      const { requests } = await looking(['face', 'body'], async ({ page, call }) => {
        await call('logHas', { sightings: 4 });
        // What would leave is found, too.
        await page.evaluate("fetch('/control', { method: 'POST', body: 'picture' }).then(() => undefined)");
      });
      const paths = requests.map(({ url }) => new URL(url).pathname);
      expect(paths.filter((path) => FACE.test(path))).toEqual([
        '/models/face',
        expect.stringMatching(/^\/faceWatcher-\w+\.js$/),
      ]);
      expect(requests.filter(({ method, hasUpload }) => method !== 'GET' || hasUpload)).toEqual([
        { url: expect.stringMatching(/\/control$/), method: 'POST', hasUpload: true },
      ]);
    },
  );
});

/** Looks at a figure by way of a source, and returns what Chromium asked the network for meanwhile. */
async function looking(
  modalities: readonly string[],
  use: (tab: VisionTab) => Promise<void>,
): Promise<{ readonly requests: LoggedRequest[] }> {
  const folder = await mkdtemp(join(tmpdir(), 'undertone-netlog-'));
  const path = join(folder, 'log.json');
  let origin = '';
  try {
    await withVisionPage(
      async (tab) => {
        ({ origin } = new URL(tab.site.url));
        // The URL of the face model is given in either case.
        const urls = { ...tab.urls, face: `${tab.site.url}models/face` };
        const pictures = tab.site.servePictures(
          'figure',
          [0, 5, 10].map((step) => bodyPicture(step)),
        );
        expect(await tab.call('startSource', { modalities, urls, pictures })).toBe('started');
        await use(tab);
      },
      [`--log-net-log=${path}`],
    );
    const { constants, events } = JSON.parse(await readFile(path, 'utf8')) as NetLog;
    const began = constants.logEventTypes['URL_REQUEST_START_JOB'];
    const requests = events.flatMap(({ type, params: { url, method, upload_id, initiator } = {} }) => {
      // Chromium's own errands have another initiator, or none.
      const isOurs = type === began && (initiator === origin || url?.startsWith(origin) === true);
      return isOurs && url !== undefined && method !== undefined
        ? [{ url, method, hasUpload: upload_id !== undefined }]
        : [];
    });
    return { requests };
  } finally {
    await rm(folder, { recursive: true });
  }
}
