import * as tf from '@tensorflow/tfjs-core';
import { afterEach, describe, expect, it, vi } from 'vitest';

import { isUndertoneError } from '../../src/errors.ts';
import { type Backend, BACKENDS, type BackendPurpose, LIVE_BACKENDS, startBackend } from '../../src/model/backend.ts';
import { itOn, TESTABLE, UNTESTABLE } from '../support/backends.ts';

/** What starting a backend is refused with. */
async function refusal(name: string, purpose: BackendPurpose): Promise<string> {
  const error: unknown = await startBackend(name as Backend, purpose).catch((thrown: unknown) => thrown);
  expect(isUndertoneError(error) && error.code).toBe('NO_BACKEND');
  return String(error);
}

async function product(): Promise<number[]> {
  const result = tf.tidy(() => tf.matMul(tf.tensor2d([[1, 2]]), tf.tensor2d([[3], [4]])));
  const values = await result.data();
  result.dispose();
  return [...values];
}

describe('startBackend', () => {
  for (const name of BACKENDS)
    itOn(name, `starts ${name} for training, which then computes and leaves no tensor behind.`, async () => {
      expect(await startBackend(name, 'training')).toEqual({ name, version: tf.version_core, skipped: [] });
      expect(tf.getBackend()).toBe(name);
      const before = tf.memory().numTensors;
      await startBackend(name, 'training');
      expect(await product()).toEqual([11]);
      expect(tf.memory().numTensors).toBe(before);
    });

  it('prefers wasm for conversations, says nothing of the others, and can be asked again.', async () => {
    expect(LIVE_BACKENDS[0]).toBe('wasm');
    expect(await startBackend()).toEqual({ name: 'wasm', version: tf.version_core, skipped: [] });
    expect((await startBackend('auto', 'live')).skipped).toEqual([]);
  });

  it('says of each backend before the one it chose for training why not, one line each, in order.', async () => {
    const { name, skipped } = await startBackend('auto', 'training');
    expect(skipped.map((line) => line.slice(0, line.indexOf(':')))).toEqual(BACKENDS.slice(0, BACKENDS.indexOf(name)));
    for (const line of skipped) expect(line).toMatch(/^\w+: [^\n]{5,}$/);
    expect(TESTABLE).toContain(name);
  });

  it('refuses webgpu for conversations, whether it is installed or not, and says why.', async () => {
    expect(await refusal('webgpu', 'live')).toMatch(/webgpu: it cannot serve a conversation/);
  });

  it('says NO_BACKEND, and which there are, for one that does not exist.', async () => {
    expect(await refusal('abacus', 'live')).toMatch(
      /abacus: there is no such backend, only tensorflow, webgpu, wasm, cpu/,
    );
  });

  it('names the package to install for what is not installed.', () => {
    const missing = [...UNTESTABLE.values()].filter((reason) => reason.includes('not installed'));
    for (const reason of missing) expect(reason).toMatch(/\(npm i (@tensorflow\/tfjs-node-gpu|webgpu)/);
    expect(UNTESTABLE.has('wasm') || UNTESTABLE.has('cpu')).toBe(false);
  });
});

/** A machine whose graphics driver offers this. */
function stubAdapter(adapter: unknown): void {
  vi.stubGlobal('navigator', { gpu: { requestAdapter: () => Promise.resolve(adapter) } });
}

describe('webgpu', () => {
  afterEach(() => void vi.unstubAllGlobals());

  itOn('webgpu', 'is skipped where no driver offers an adapter.', async () => {
    stubAdapter(null);
    expect(await refusal('webgpu', 'training')).toMatch(/webgpu: no adapter/);
  });

  itOn('webgpu', 'is skipped for a software adapter, unless it is asked for by name.', async () => {
    stubAdapter({ info: { isFallbackAdapter: true, description: 'Soft 1.0' } });
    const { name, skipped } = await startBackend('auto', 'training');
    expect(name).not.toBe('webgpu');
    expect(skipped).toContain('webgpu: only a software adapter (Soft 1.0), slower than wasm');
    vi.unstubAllGlobals();
    expect((await startBackend('webgpu', 'training')).name).toBe('webgpu');
  });
});
