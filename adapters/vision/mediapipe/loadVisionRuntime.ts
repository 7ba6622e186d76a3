import type * as TasksVision from '@mediapipe/tasks-vision';
import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import {
  createVisionRuntime,
  type ModuleFactory,
  type VisionRuntime,
  type WebAssemblyApi,
} from '../../../src/vision/visionRuntime.ts';

/** What browsers have and the library looks for; Node's types have no WebAssembly. */
type LibraryGlobals = {
  self?: unknown;
  navigator?: unknown;
  readonly WebAssembly: WebAssemblyApi;
  WebGLTexture?: unknown;
  WebGLRenderingContext?: unknown;
};

/**
 * Loads tasks-vision in this thread; call it in a worker, because the library needs globals of its own. Nothing is
 * fetched: code and WebAssembly come from the installed package.
 */
export async function loadVisionRuntime(): Promise<VisionRuntime> {
  const require = createRequire(import.meta.url);
  const folder = dirname(require.resolve('@mediapipe/tasks-vision'));
  const globals = globalThis as unknown as LibraryGlobals;
  const { WebAssembly: webAssembly } = globals;
  const wasm = await webAssembly.compile(await readFile(join(folder, 'wasm', 'vision_wasm_internal.wasm')));
  globals.self ??= globalThis;
  globals.navigator ??= { userAgent: 'Node', platform: process.platform };
  globals.WebGLTexture ??= class {};
  globals.WebGLRenderingContext ??= class {};
  const factory = await loadFactory(join(folder, 'wasm', 'vision_wasm_internal.js'));
  const library = (await import(pathToFileURL(join(folder, 'vision_bundle.mjs')).href)) as typeof TasksVision;
  return createVisionRuntime({ library, factory, wasm, webAssembly });
}

/** The loader is a classic script that declares `ModuleFactory`; run as a function body, it leaves no global. */
async function loadFactory(path: string): Promise<ModuleFactory> {
  const code = await readFile(path, 'utf8');
  const names = ['require', '__filename', '__dirname', 'module', 'exports'];
  // eslint-disable-next-line @typescript-eslint/no-implied-eval -- a file of the pinned package
  const run = new Function(...names, `${code}\n;return ModuleFactory;`) as (...values: unknown[]) => ModuleFactory;
  return run(createRequire(path), path, dirname(path), { exports: {} }, {});
}
