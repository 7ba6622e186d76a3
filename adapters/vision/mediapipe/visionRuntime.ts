import type * as TasksVision from '@mediapipe/tasks-vision';
import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { createPixelStoreCanvas, type Pixels } from './pixelStore.ts';

/** A face landmarker in video mode with blendshapes and matrices. Times are whole ms that increase. */
export type FaceTask = {
  detectForVideo(picture: Pixels, atMs: number): TasksVision.FaceLandmarkerResult;
  close(): void;
};
/** A pose landmarker in video mode. Times are whole ms that increase. */
export type PoseTask = {
  detectForVideo(picture: Pixels, atMs: number): TasksVision.PoseLandmarkerResult;
  close(): void;
};

/** tasks-vision, loaded in this thread. Each task has a WebAssembly memory of its own. */
export type VisionRuntime = {
  createFaceTask(model: Uint8Array): Promise<FaceTask>;
  createPoseTask(model: Uint8Array): Promise<PoseTask>;
};

/** The part of WebAssembly that is used; Node's types have none of it. */
type WebAssemblyApi = {
  compile(bytes: Uint8Array): Promise<object>;
  instantiate(module: object, imports: object): Promise<object>;
};
type TaskBase = Pick<TasksVision.PoseLandmarkerOptions, 'baseOptions' | 'canvas'>;
type ModuleFactory = (module: object) => Promise<object>;
/** What the library reads from its global object while it makes a task. */
type LibraryGlobals = {
  self?: unknown;
  navigator?: unknown;
  ModuleFactory?: ModuleFactory | undefined;
  Module?: object | undefined;
  readonly WebAssembly: WebAssemblyApi;
  WebGLTexture?: unknown;
  WebGLRenderingContext?: unknown;
};

/** How many faces are looked for: one more than wanted, to tell when it is not clear whose face it is. */
const MOST_FACES = 2;

/**
 * Loads tasks-vision in this thread; call it in a worker, because the library needs globals of its own. Nothing is
 * fetched: code and WebAssembly come from the installed package.
 */
export async function loadVisionRuntime(): Promise<VisionRuntime> {
  const require = createRequire(import.meta.url);
  const folder = dirname(require.resolve('@mediapipe/tasks-vision'));
  const wasmPath = join(folder, 'wasm', 'vision_wasm_internal.wasm');
  const globals = globalThis as unknown as LibraryGlobals;
  const wasm = await globals.WebAssembly.compile(await readFile(wasmPath));
  globals.self ??= globalThis;
  globals.navigator ??= { userAgent: 'Node', platform: process.platform };
  globals.WebGLTexture ??= class {};
  globals.WebGLRenderingContext ??= class {};
  const factory = await loadFactory(join(folder, 'wasm', 'vision_wasm_internal.js'));
  const library = (await import(pathToFileURL(join(folder, 'vision_bundle.mjs')).href)) as typeof TasksVision;
  const fileset = { wasmLoaderPath: '', wasmBinaryPath: wasmPath };
  // The library takes factory and module from the global object: one task at a time.
  let last: Promise<unknown> = Promise.resolve();
  const create = <T>(make: (options: TaskBase) => Promise<T>, model: Uint8Array): Promise<T> => {
    const made = last.then(() => {
      const canvas = createPixelStoreCanvas();
      globals.ModuleFactory = factory;
      globals.Module = {
        canvas,
        instantiateWasm: instantiator(globals.WebAssembly, wasm),
        print: ignore,
        printErr: ignore,
      };
      return make({
        baseOptions: { modelAssetBuffer: new Uint8Array(model), delegate: 'CPU' },
        canvas: canvas as unknown as OffscreenCanvas,
      });
    });
    last = made.catch(ignore);
    return made;
  };
  return {
    createFaceTask: (model) =>
      create((options) => library.FaceLandmarker.createFromOptions(fileset, { ...options, ...FACE_OPTIONS }), model),
    createPoseTask: (model) =>
      create((options) => library.PoseLandmarker.createFromOptions(fileset, { ...options, ...POSE_OPTIONS }), model),
  };
}

const FACE_OPTIONS = {
  runningMode: 'VIDEO',
  numFaces: MOST_FACES,
  outputFaceBlendshapes: true,
  outputFacialTransformationMatrixes: true,
} as const;
const POSE_OPTIONS = { runningMode: 'VIDEO', numPoses: 1 } as const;

/** The loader is a classic script that declares `ModuleFactory`; run as a function body, it leaves no global. */
async function loadFactory(path: string): Promise<ModuleFactory> {
  const code = await readFile(path, 'utf8');
  const names = ['require', '__filename', '__dirname', 'module', 'exports'];
  // eslint-disable-next-line @typescript-eslint/no-implied-eval -- a file of the pinned package
  const run = new Function(...names, `${code}\n;return ModuleFactory;`) as (...values: unknown[]) => ModuleFactory;
  return run(createRequire(path), path, dirname(path), { exports: {} }, {});
}

/** Compiled once for each thread; every task gets an instance. */
function instantiator(
  api: WebAssemblyApi,
  wasm: object,
): (imports: object, done: (instance: object, module: object) => void) => object {
  return (imports, done) => {
    void api.instantiate(wasm, imports).then((instance) => done(instance, wasm));
    return {};
  };
}

function ignore(): void {
  // The library reports what it does on its way; errors are thrown all the same.
}
