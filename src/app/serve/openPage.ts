import { existsSync } from 'node:fs';
import { readdir, readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, extname, join } from 'node:path';
import { MODEL_CATALOGUE } from '../../../adapters/vision/mediapipe/modelCatalogue.ts';
import type { VisionModality } from '../../adapter.ts';
import type { ServerConfig } from '../../config.ts';
import type { CatalogueModel } from '../../domain/modelCatalogue.ts';
import type { Page, PageFile } from '../../server/page.ts';
import { modelsFolder, readModel } from '../models/modelStore.ts';
import { packageRoot } from '../packageRoot.ts';

const TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.json': 'application/json; charset=utf-8',
  '.wasm': 'application/wasm',
};
const WASM_FILES = ['vision_wasm_module_internal.js', 'vision_wasm_module_internal.wasm'] as const;

/**
 * Returns the page for trying out a server: what `npm run build` made of it, the models that are here, and what reads them. Nothing
 * is downloaded, and a model that the privacy mode rules out is not among them. Nothing when it was not built, or is not wanted.
 * @param folder Where the page was built.
 */
export async function openPage(
  { page: isWanted, keys, policy: { privacy } }: ServerConfig,
  env: Readonly<Record<string, string | undefined>>,
  folder: string = join(packageRoot(), 'dist/page'),
): Promise<Page | undefined> {
  if (!isWanted || keys.length > 0 || !existsSync(join(folder, 'index.html'))) return undefined;
  const page = new Map<string, PageFile>([['/', fileOf(join(folder, 'index.html'))]]);
  for (const name of await readdir(folder))
    if (name !== 'index.html') page.set(`/page/${name}`, fileOf(join(folder, name)));
  const wasm = join(dirname(createRequire(import.meta.url).resolve('@mediapipe/tasks-vision')), 'wasm');
  for (const name of WASM_FILES) page.set(`/page/wasm/${name}`, fileOf(join(wasm, name)));
  const models = MODEL_CATALOGUE.filter((model) => mayServe(model, privacy, modelsFolder(env)));
  for (const model of models)
    page.set(`/page/models/${model.file}`, {
      type: 'application/octet-stream',
      read: () => readModel(model, modelsFolder(env)),
    });
  const urls = models.map(({ modality, file }) => [modality, `/page/models/${file}`] as const);
  const settings = JSON.stringify({ wasmUrl: '/page/wasm/', models: Object.fromEntries(urls) });
  page.set('/page/settings.json', { type: typeOf('.json'), read: async () => Buffer.from(settings) });
  return page;
}

function mayServe(
  model: CatalogueModel<VisionModality>,
  privacy: ServerConfig['policy']['privacy'],
  folder: string,
): boolean {
  if (privacy === 'text-only' || (privacy === 'no-face' && model.modality === 'face')) return false;
  return model.origin.kind === 'build' || existsSync(join(folder, model.file));
}

function fileOf(path: string): PageFile {
  return { type: typeOf(extname(path)), read: () => readFile(path) };
}

function typeOf(extension: string): string {
  return TYPES[extension] ?? 'application/octet-stream';
}
