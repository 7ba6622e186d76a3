import { importOptional } from './importOptional.ts';

const PACKAGES = ['webgpu', '@tensorflow/tfjs-backend-webgpu'] as const;

/** What we need of the standard's GPU object. */
type Gpu = { requestAdapter(options: { powerPreference: string }): Promise<GpuAdapter | null> };
type GpuAdapter = { readonly info: { readonly isFallbackAdapter?: boolean; readonly description: string } };
type Dawn = { readonly create: (flags: readonly string[]) => Gpu; readonly globals: Readonly<Record<string, unknown>> };
type Navigator = { gpu?: Gpu };

/**
 * Loads Dawn, the WebGPU of Chromium for Node, and the backend on top of it. Rejects with one line that says why it
 * cannot be used; one reason is a software adapter, unless `allowSoftware`: it is many times slower than wasm.
 */
export async function loadWebgpu(allowSoftware: boolean): Promise<void> {
  const dawn = await importOptional(PACKAGES[0]);
  if (!isDawn(dawn)) throw new Error(`not installed (npm i ${PACKAGES.join(' ')})`);
  const gpu = existingNavigator()?.gpu ?? dawn.create([]);
  const adapter = await gpu.requestAdapter({ powerPreference: 'high-performance' });
  if (!adapter) throw new Error('no adapter (no graphics driver offers one; on Linux it takes Vulkan)');
  if (adapter.info.isFallbackAdapter === true && !allowSoftware)
    throw new Error(`only a software adapter (${adapter.info.description}), slower than wasm`);
  install(gpu, dawn.globals);
  if ((await importOptional(PACKAGES[1])) === undefined) throw new Error(`not installed (npm i ${PACKAGES[1]})`);
}

/** Puts the standard's global names where the backend looks for them; what is there already stays. */
function install(gpu: Gpu, globals: Dawn['globals']): void {
  const define = (target: object, name: string, value: unknown): void => {
    if (!(name in target)) Object.defineProperty(target, name, { value, configurable: true, writable: true });
  };
  for (const [name, value] of Object.entries(globals)) define(globalThis, name, value);
  define(globalThis, 'navigator', {});
  define(existingNavigator() ?? {}, 'gpu', gpu);
}

function existingNavigator(): Navigator | undefined {
  return Reflect.get(globalThis, 'navigator') as Navigator | undefined;
}

function isDawn(module: unknown): module is Dawn {
  return typeof module === 'object' && module !== null && 'create' in module && 'globals' in module;
}
