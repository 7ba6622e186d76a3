import type { ModelFile } from '../../../domain/modelCatalogue.ts';

/** The WebAssembly of tasks-vision 0.10.35 for module workers. */
export const WASM_FILE: ModelFile = {
  file: 'vision_wasm_module_internal.wasm',
  sizeBytes: 11_153_641,
  sha256: '617b8e0248dbd27e9d7ece4218004eae4cefb499196d1bb4fa0e3fef21708756',
};
