import * as library from '@mediapipe/tasks-vision';
import {
  createVisionRuntime,
  type ModuleFactory,
  type VisionRuntime,
  type WebAssemblyApi,
} from '../../../vision/visionRuntime.ts';
import { fetchChecked } from './fetchChecked.ts';
import { WASM_FILE } from './wasmFile.ts';

/** The script that starts it. It is a module, so that it can be loaded where there is no `importScripts`. */
const LOADER = 'vision_wasm_module_internal.js';

/** Loads tasks-vision in this worker. @throws UndertoneError BAD_MODEL, VISION_DOWN */
export async function loadWebRuntime(wasmUrl: string, onProgress: () => void): Promise<VisionRuntime> {
  const bytes = await fetchChecked(new URL(WASM_FILE.file, wasmUrl).href, WASM_FILE, onProgress);
  const wasm = await WebAssembly.compile(bytes);
  const url = new URL(LOADER, wasmUrl).href;
  const { default: factory } = (await import(/* webpackIgnore: true */ /* @vite-ignore */ url)) as {
    readonly default: ModuleFactory;
  };
  // What the library says on its way is not for the console of somebody's page; errors are thrown all the same.
  Object.assign(globalThis, { custom_dbg: () => undefined });
  return createVisionRuntime({ library, factory, wasm, webAssembly: WebAssembly as unknown as WebAssemblyApi });
}
