import * as tf from '@tensorflow/tfjs-core';
import { describe, expect, it } from 'vitest';

import { isUndertoneError } from '../../src/errors.ts';
import { type Backend, BACKENDS, startBackend } from '../../src/model/backend.ts';

describe('startBackend', () => {
  it.each(BACKENDS)('starts %s, which then computes.', async (name) => {
    expect(await startBackend(name)).toEqual({ name, version: tf.version_core, skipped: [] });
    expect(tf.getBackend()).toBe(name);
    const product = tf.tidy(() => tf.matMul(tf.tensor2d([[1, 2]]), tf.tensor2d([[3], [4]])).dataSync());
    expect([...product]).toEqual([11]);
  });

  it('prefers wasm when left to choose, and can be asked again.', async () => {
    expect((await startBackend()).name).toBe('wasm');
    expect((await startBackend('auto')).skipped).toEqual([]);
  });

  it('says NO_BACKEND, and why, for one that does not exist.', async () => {
    const error: unknown = await startBackend('abacus' as Backend).catch((thrown: unknown) => thrown);
    expect(isUndertoneError(error) && error.code).toBe('NO_BACKEND');
    expect(String(error)).toMatch(/abacus: /);
  });
});
