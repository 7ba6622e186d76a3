import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Page } from 'playwright-core';
import { buildPoseTask } from '../../adapters/vision/mediapipe/buildPoseTask.ts';
import { it } from 'vitest';
import { itInChromium, launchChromium } from './chromium.ts';
import { startVisionSite, type VisionSite } from './visionSite.ts';

const shared = process.env['UNDERTONE_SHARED'];
/** Whether the face model is there; tests of faces say that they are skipped without it. */
export const HAS_FACE_MODEL: boolean = shared !== undefined;

/** A test in Chromium that needs the face model. */
export function itSeesFacesInChromium(title: string, body: () => Promise<void>): void {
  if (HAS_FACE_MODEL) itInChromium(title, body);
  else it.skip(`skipped: faces need the model in UNDERTONE_SHARED: ${title}`, body);
}

/** Reads the face model of the shared folder. */
export const readFaceModel = (): Promise<Uint8Array> => readFile(join(shared ?? '', 'models', 'face_landmarker.task'));

/** What a row or a reason is called in the page. */
export type PageSighting = {
  readonly modality: 'face' | 'body';
  readonly atMs: number;
  readonly row?: readonly number[];
  readonly reason?: string;
};

/** A page of the site in Chromium, ready to look at pictures. */
export type VisionTab = {
  readonly site: VisionSite;
  readonly page: Page;
  /** Where wasm and models are served. */
  readonly urls: { readonly wasmUrl: string; readonly face?: string; readonly body?: string };
  /** Calls a function of test/e2e/browser/page/visionPage.ts. */
  readonly call: <T>(name: string, ...args: readonly unknown[]) => Promise<T>;
};

/** Opens the page, gives it to `use`, and closes everything. @param options Of Chromium's command line. */
export async function withVisionPage(
  use: (tab: VisionTab) => Promise<void>,
  options: readonly string[] = [],
): Promise<void> {
  const site = await startVisionSite();
  site.serve('/models/body', buildPoseTask);
  if (HAS_FACE_MODEL) site.serve('/models/face', readFaceModel);
  const browser = await launchChromium(options);
  try {
    const page = await browser.newPage();
    await page.goto(site.url);
    const urls = {
      wasmUrl: `${site.url}wasm/`,
      body: `${site.url}models/body`,
      ...(HAS_FACE_MODEL && { face: `${site.url}models/face` }),
    };
    await use({
      site,
      page,
      urls,
      call: (name, ...args) => page.evaluate(`visionPage.${name}(...${JSON.stringify(args)})`),
    });
  } finally {
    await browser.close();
    await site.close();
  }
}
