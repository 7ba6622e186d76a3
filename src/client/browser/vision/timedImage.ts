/** A picture on its way to the worker, which closes it. `atMs` is on the clock of `performance.now()` of the page. */
export type TimedImage = { readonly atMs: number; readonly image: ImageBitmap | VideoFrame };

/** What the worker loads, and from where; models only of what is looked for. */
export type AssetUrls = {
  /** Folder of the WebAssembly of `@mediapipe/tasks-vision`, absolute, with `/` at the end. */
  readonly wasmUrl: string;
  readonly face?: string;
  readonly body?: string;
};
