import { existsSync } from 'node:fs';
import { it } from 'vitest';

import { type Backend, BACKENDS, startBackend } from '../../src/model/backend.ts';

/** A software Vulkan driver that Debian's chromium brings: WebGPU can be tested without a GPU. */
const SWIFTSHADER = '/usr/lib/chromium/vk_swiftshader_icd.json';
if (existsSync(SWIFTSHADER)) process.env['VK_ICD_FILENAMES'] ??= SWIFTSHADER;

/** Why a backend cannot be tested here; a backend that can be is missing. */
export const UNTESTABLE: ReadonlyMap<Backend, string> = await findUntestable();

/** Backends that can be tested here. */
export const TESTABLE: readonly Backend[] = BACKENDS.filter((name) => !UNTESTABLE.has(name));

async function findUntestable(): Promise<Map<Backend, string>> {
  const reasons = new Map<Backend, string>();
  for (const name of BACKENDS)
    await startBackend(name, 'training').catch((error: unknown) => reasons.set(name, (error as Error).message));
  return reasons;
}

/**
 * A test that needs a backend: skipped, with the reason in its title, where that one cannot run. wasm and cpu run everywhere;
 * webgpu must where UNDERTONE_WEBGPU says "required"; the native TensorFlow library only its own download brings. A software driver compiles each shader anew, so time is ample.
 */
export function itOn(name: Backend, title: string, body: () => Promise<void>): void {
  const reason = UNTESTABLE.get(name);
  const isRequired = name === 'webgpu' ? process.env['UNDERTONE_WEBGPU'] === 'required' : name !== 'tensorflow';
  if (reason === undefined || isRequired)
    it(title, { timeout: 180_000 }, async () => {
      await startBackend(name, 'training');
      await body();
    });
  else it.skip(`skipped: ${reason}: ${title}`);
}
