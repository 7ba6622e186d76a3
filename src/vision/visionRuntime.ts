import type * as TasksVision from '@mediapipe/tasks-vision';
import { createPixelStoreCanvas, type Pixels } from './pixelStore.ts';

/** A landmarker in video mode. Times are whole ms that increase. */
export type VisionTask<Result> = { detectForVideo(picture: Pixels, atMs: number): Result; close(): void };

/** What the library needs to know where its files are; here it is given them. */
export type Fileset = { readonly wasmLoaderPath: string; readonly wasmBinaryPath: string };
/** Options that all tasks share. */
export type TaskOptions = Pick<TasksVision.PoseLandmarkerOptions, 'baseOptions' | 'canvas' | 'runningMode'>;
/** Makes a landmarker by one of the library's classes. */
export type MakeTask = (library: typeof TasksVision, fileset: Fileset, options: TaskOptions) => Promise<object>;

/** tasks-vision, loaded in this thread. Each task has a WebAssembly memory of its own. */
export type VisionRuntime = {
  createTask<Result>(make: MakeTask, model: Uint8Array): Promise<VisionTask<Result>>;
};

/** The part of WebAssembly that is used. */
export type WebAssemblyApi = {
  compile(bytes: Uint8Array): Promise<object>;
  instantiate(module: object, imports: object): Promise<object>;
};
/** What starts an instance of the library's WebAssembly. */
export type ModuleFactory = (module: object) => Promise<object>;

/** The parts of tasks-vision, however they were come by. */
export type VisionParts = {
  readonly library: typeof TasksVision;
  readonly factory: ModuleFactory;
  /** The compiled WebAssembly. */
  readonly wasm: object;
  readonly webAssembly: WebAssemblyApi;
};

/** What the library reads from its global object while it makes a task. */
type LibraryGlobals = { ModuleFactory?: ModuleFactory | undefined; Module?: object | undefined };

/** Returns the runtime of this thread, which must be a worker: the library wants globals of its own. Nothing is fetched. */
export function createVisionRuntime({ library, factory, wasm, webAssembly }: VisionParts): VisionRuntime {
  const globals = globalThis as LibraryGlobals;
  const fileset = { wasmLoaderPath: '', wasmBinaryPath: '' };
  // The library takes factory and module from the global object: one task at a time.
  let last: Promise<unknown> = Promise.resolve();
  return {
    createTask: <Result>(make: MakeTask, model: Uint8Array) => {
      const made = last.then(async () => {
        const canvas = createPixelStoreCanvas();
        globals.ModuleFactory = factory;
        globals.Module = {
          canvas,
          instantiateWasm: instantiator(webAssembly, wasm),
          print: ignore,
          printErr: ignore,
        };
        const task = await make(library, fileset, {
          baseOptions: { modelAssetBuffer: new Uint8Array(model), delegate: 'CPU' },
          canvas: canvas as unknown as OffscreenCanvas,
          runningMode: 'VIDEO',
        });
        // Declared for whatever `texImage2D` takes, which here are the pixel store's pixels.
        return task as VisionTask<Result>;
      });
      last = made.catch(ignore);
      return made;
    },
  };
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
