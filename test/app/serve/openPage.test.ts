import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openPage } from '../../../src/app/serve/openPage.ts';
import { parseServerConfig } from '../../../src/config.ts';
import type { Page } from '../../../src/server/page.ts';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'undertone-page-'));
  for (const name of ['index.html', 'page.js', 'style.css', 'face_landmarker.task'])
    await writeFile(join(folder, name), name);
});
afterAll(() => rm(folder, { recursive: true }));
const open = (config: unknown = {}, models = folder): Promise<Page | undefined> =>
  openPage(parseServerConfig(config), { UNDERTONE_MODELS: models }, folder);
const settingsOf = async (page: Page | undefined): Promise<unknown> =>
  JSON.parse(Buffer.from((await page?.get('/page/settings.json')?.read()) ?? []).toString('utf8'));

describe('openPage', () => {
  it('has what was built, the reader of pictures and the models that are here', async () => {
    const page = await open();
    expect(page?.get('/')?.type).toBe('text/html; charset=utf-8');
    expect(page?.get('/page/page.js')?.type).toBe('text/javascript; charset=utf-8');
    expect(Buffer.from((await page?.get('/page/page.js')?.read()) ?? []).toString()).toBe('page.js');
    expect((await page?.get('/page/wasm/vision_wasm_module_internal.wasm')?.read())?.length).toBe(11_153_641);
    expect(await settingsOf(page)).toEqual({
      wasmUrl: '/page/wasm/',
      models: { face: '/page/models/face_landmarker.task', body: '/page/models/pose_landmarker_lite.task' },
    });
    expect((await page?.get('/page/models/pose_landmarker_lite.task')?.read())?.length).toBe(5_786_308);
  });

  it('gives no model that is another one than the catalogue says', async () => {
    const face = (await open())?.get('/page/models/face_landmarker.task');
    await expect(face?.read()).rejects.toMatchObject({ code: 'BAD_MODEL' });
  });

  it('has no model of faces where there is none, or where the privacy mode rules it out', async () => {
    const body = { body: '/page/models/pose_landmarker_lite.task' };
    expect(await settingsOf(await open({}, join(folder, 'empty')))).toMatchObject({ models: body });
    expect(await settingsOf(await open({ policy: { privacy: 'no-face' } }))).toEqual({
      wasmUrl: '/page/wasm/',
      models: body,
    });
    expect(await settingsOf(await open({ policy: { privacy: 'text-only' } }))).toMatchObject({ models: {} });
  });

  it('is nothing when it is not wanted, when there are keys, and when it was not built', async () => {
    const key = { id: 'one', sha256: 'a'.repeat(64), scopes: ['admin'] };
    expect(await open({ page: false })).toBeUndefined();
    expect(await open({ keys: [key] })).toBeUndefined();
    expect(await openPage(parseServerConfig({}), {}, join(folder, 'empty'))).toBeUndefined();
  });
});
