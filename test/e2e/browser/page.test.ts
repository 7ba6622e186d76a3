import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Browser, Page } from 'playwright-core';
import { afterEach, describe, expect } from 'vitest';
import WebSocket from 'ws';
import { connect, type Consumer } from '../../../src/client/connect.ts';
import type { Insight, ModalityInsight, UtteranceInsight } from '../../../src/domain/insight.ts';
import type { LiveServer } from '../../../src/server/liveServer.ts';
import { itInChromium, launchChromium } from '../../support/chromium.ts';
import { type CuttableProxy, startCuttableProxy } from '../../support/cuttableProxy.ts';
import { pretendToBeAda, servePage } from '../../support/pageCall.ts';

const shared = process.env['UNDERTONE_SHARED'];
/** Without the shared folder there is no model of faces: then bodies alone are seen. */
const SEEN = shared === undefined ? (['body'] as const) : (['face', 'body'] as const);

let folder: string | undefined;
let server: LiveServer | undefined;
let network: CuttableProxy | undefined;
let browser: Browser | undefined;
afterEach(async () => {
  await browser?.close();
  await network?.close();
  await server?.close();
  if (folder !== undefined) await rm(folder, { recursive: true });
});

/** What the page is told by the feed, message by message, over all of its connections. */
function overhear(page: Page): Insight[] {
  const heard: Insight[] = [];
  page.on('websocket', (socket) =>
    socket.on('framereceived', ({ payload }) => {
      const message = JSON.parse(payload.toString()) as Insight;
      if ('seq' in message) heard.push(message);
    }),
  );
  return heard;
}

/** Somebody who reads the same session beside the page, whose network stays. */
function readBeside(url: string, session: string): { readonly consumer: Consumer; readonly insights: Insight[] } {
  const { consumer } = connect({ url, session, WebSocket });
  const insights: Insight[] = [];
  consumer.on('insight', (insight) => insights.push(insight));
  return { consumer, insights };
}

const utterancesOf = (insights: readonly Insight[]): UtteranceInsight[] =>
  insights.filter((insight) => insight.type === 'utterance');
const finalsOf = (insights: readonly Insight[]): UtteranceInsight[] =>
  utterancesOf(insights).filter(({ status }) => status === 'final');
/** What was said of face and body, in order, as `face absent camera_off`. */
const presencesOf = (insights: readonly Insight[]): string[] =>
  insights
    .filter((insight): insight is ModalityInsight => insight.type === 'modality')
    .map(({ modality, state, reason = '' }) => `${modality} ${state} ${reason}`.trim());

describe('the page, in Chromium, with a session behind # in its address', () => {
  itInChromium('shows what is said about others, who take part elsewhere', async () => {
    folder = await mkdtemp(join(tmpdir(), 'undertone-page-'));
    server = await servePage(join(folder, 'page'), folder);
    const { producer } = connect({
      url: server.url,
      session: 'theirs',
      WebSocket,
      participant: { id: 'ben', name: 'Ben' },
      streams: [{ streamId: 'words', kind: 'captions' }],
    });
    await producer.ready();
    browser = await launchChromium();
    const page = await browser.newPage();
    await page.goto(`${server.url.replace('ws', 'http')}/#theirs`);
    await page.locator('#status').filter({ hasText: 'watching theirs: live' }).waitFor();
    producer.sendTranscript('words', {
      isFinal: true,
      startMs: 500,
      endMs: 2_000,
      text: 'I had no idea <b>at all</b>!',
    });
    await producer.bye();
    const utterance = page.locator('#utterances li');
    await utterance.getByText('Ben').waitFor();
    await utterance.getByText('I had no idea <b>at all</b>!').waitFor();
    expect(await page.getByRole('button', { name: 'Connect' }).isVisible()).toBe(true);
  });
});

describe('the page, in Chromium, with the sound and the pictures of the bundled call', () => {
  itInChromium(
    'shows what is heard and seen, and loses and doubles nothing when camera and network go and come',
    async () => {
      folder = await mkdtemp(join(tmpdir(), 'undertone-page-'));
      server = await servePage(join(folder, 'page'), shared === undefined ? folder : join(shared, 'models'));
      network = await startCuttableProxy(server.port);
      browser = await launchChromium(pretendToBeAda(folder));
      const page = await browser.newPage();
      page.setDefaultTimeout(60_000);
      const problems: string[] = [];
      page.on('pageerror', ({ message }) => problems.push(message));
      const heard = overhear(page);
      const status = page.locator('#status');
      const told = (what: (insights: readonly Insight[]) => unknown) =>
        expect.poll(() => what(beside.insights), { timeout: 60_000, interval: 100 });

      await page.goto(`http://127.0.0.1:${network.port}/`);
      await page.getByLabel('Your name').fill('Ada');
      for (const what of ['my words', 'my voice', 'my face', 'my body']) await page.getByLabel(what).check();
      await page.getByRole('button', { name: 'Connect' }).click();
      await status.filter({ hasText: 'live' }).waitFor();
      const [session] = server.sessions.all();
      const beside = readBeside(server.url, session?.id ?? '');
      await page.getByRole('button', { name: 'Camera off' }).click();
      await page.getByRole('button', { name: 'Camera on' }).waitFor();
      await page.getByRole('button', { name: 'Microphone off' }).click();

      // Voice, face and body are there, and words as soon as somebody writes them.
      const isWhole = ({ availability }: UtteranceInsight): boolean =>
        (['audio', ...SEEN] as const).every((modality) => availability[modality].share > 0.5);
      await told((insights) => utterancesOf(insights).some(isWhole)).toBe(true);
      await page.getByLabel('What was just said').fill('My sister is flying home for the party!');
      await page.getByRole('button', { name: 'Send' }).click();
      await told((insights) => utterancesOf(insights).some(({ text }) => text !== null)).toBe(true);
      await page.locator('#utterances').getByText('flying home').first().waitFor();

      // The camera goes and comes.
      await page.getByRole('button', { name: 'Camera on' }).click();
      for (const modality of SEEN) await told(presencesOf).toContain(`${modality} absent camera_off`);
      await page.getByRole('button', { name: 'Camera off' }).click();
      for (const modality of SEEN)
        await told((insights) =>
          presencesOf(insights)
            .filter((one) => one.startsWith(modality))
            .at(-1),
        ).toBe(`${modality} present`);

      // The network goes, for ten seconds in which Ada talks on, and comes.
      const cutMs = session?.clockMs() ?? NaN;
      await network.cut();
      await status.filter({ hasText: /reconnecting for \d\d+ s/ }).waitFor();
      const mendedMs = session?.clockMs() ?? NaN;
      await network.mend();
      await status.filter({ hasText: 'live again' }).waitFor();
      const isOfTheCut = ({ startMs, endMs }: UtteranceInsight): boolean => startMs > cutMs && endMs < mendedMs;
      await told((insights) => utterancesOf(insights).some(isOfTheCut)).toBe(true);
      await told((insights) => utterancesOf(insights).some(({ startMs }) => startMs > mendedMs)).toBe(true);

      await page.getByRole('button', { name: 'Leave' }).click();
      await status.filter({ hasText: 'closed' }).waitFor();
      await beside.consumer.ended();
      await expect.poll(() => heard.at(-1)?.type, { timeout: 10_000 }).toBe('summary');

      // What the page was told is what was said, once each, in order, and the cut is not to be seen in it.
      expect(heard.map(({ seq }) => seq)).toEqual(heard.map((_, i) => i + 1));
      expect(heard).toEqual(beside.insights);
      const finals = finalsOf(heard);
      expect(new Set(finals.map(({ utteranceId }) => utteranceId)).size).toBe(finals.length);
      expect(finals.filter(isOfTheCut).map(({ availability }) => availability.audio)).toEqual(
        finals.filter(isOfTheCut).map(() => ({ share: 1 })),
      );
      expect(heard.filter(({ type }) => type === 'gap' || type === 'fault')).toEqual([]);
      expect(await page.locator('#utterances li[data-status=final]').count()).toBe(finals.length);
      expect(problems).toEqual([]);
    },
    180_000,
  );
});
