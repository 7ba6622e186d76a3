import * as tf from '@tensorflow/tfjs-core';
import { beforeAll, describe, expect, it } from 'vitest';

import { startBackend } from '../../src/model/backend.ts';
import type { ModelConfig } from '../../src/model/config.ts';
import { hostOf } from '../../src/model/ops/rows.ts';
import { checkValues, freezeParameters, initialValues, parameterSpecs, readers } from '../../src/model/parameters.ts';
import { TINY, tinyParameters, tinyValues } from '../support/tinyModel.ts';

beforeAll(() => startBackend('cpu'));

const sizeOf = (shape: readonly number[]): number => shape.reduce((a, b) => a * b, 1);

describe('parameterSpecs', () => {
  it('names every parameter once.', () => {
    const names = parameterSpecs(TINY).map(({ name }) => name);
    expect(new Set(names).size).toBe(names.length);
  });

  it('has encoders only for the inputs of the configuration, and self-attention only for their modes.', () => {
    const config: ModelConfig = { ...TINY, inputs: TINY.inputs.filter(({ name }) => name === 'prosody') };
    const names = parameterSpecs(config).map(({ name }) => name);
    const has = (prefix: string): boolean => names.some((name) => name.startsWith(prefix));
    expect(['prosody.', 'audio.self.', 'joint.visual', 'acn.1.text.'].map(has)).toEqual([true, true, true, true]);
    expect(['text.word', 'text.self', 'visual.self', 'face.', 'segments.', 'prosody.lstm'].map(has)).toEqual(
      new Array(6).fill(false),
    );
  });

  it('keeps tables and statistics on the host and everything that is trained by tensors in tensors.', () => {
    const host = parameterSpecs(TINY).filter(({ place }) => place === 'host');
    expect(host.map(({ name }) => name)).toEqual([
      'text.word',
      'text.ngram',
      ...['prosody', 'segments', 'face', 'body'].flatMap((name) => [`${name}.mean`, `${name}.scale`]),
    ]);
  });

  it('has a row for every known word and one for unknown words.', () => {
    expect(parameterSpecs(TINY).find(({ name }) => name === 'text.word')?.shape).toEqual([6, 16]);
  });
});

describe('initialValues', () => {
  it('are the same for the same seed and differ for another.', () => {
    expect([...initialValues(TINY, 3)]).toEqual([...initialValues(TINY, 3)]);
    expect([...initialValues(TINY, 3)]).not.toEqual([...initialValues(TINY, 4)]);
  });

  it('differ between parameters of one shape, which would otherwise stay twins.', () => {
    const values = initialValues(TINY, 1);
    const random = parameterSpecs(TINY).filter(({ start }) => start === 'uniform' || start === 'normal');
    const texts = new Set(random.map(({ name }) => values.get(name)?.join()));
    expect(texts.size).toBe(random.length);
  });

  it('leave a parameter as it was when another is added to the network.', () => {
    const deeper = initialValues({ ...TINY, layers: 3 }, 1);
    for (const [name, values] of initialValues(TINY, 1)) expect([name, deeper.get(name)]).toEqual([name, values]);
  });

  it('are uniform within one over the root of the fan-in, and fill that range.', () => {
    const config: ModelConfig = { ...TINY, width: 64 };
    for (const name of ['acn.0.text.q', 'head.hidden.w', 'dialogue.lstm.x']) {
      const bound = 1 / Math.sqrt(parameterSpecs(config).find((spec) => spec.name === name)?.shape[0] ?? NaN);
      const values = [...(initialValues(config, 1).get(name) ?? [])];
      expect(Math.max(...values.map(Math.abs))).toBeLessThanOrEqual(bound);
      expect(Math.max(...values)).toBeGreaterThan(0.95 * bound);
      expect(Math.min(...values)).toBeLessThan(-0.95 * bound);
    }
  });

  it('are normal with a deviation of a tenth for embeddings and reflections.', () => {
    const values = [...(initialValues({ ...TINY, buckets: 1024 }, 1).get('text.ngram') ?? [])];
    const mean = values.reduce((a, b) => a + b, 0) / values.length;
    const deviation = Math.sqrt(values.reduce((sum, v) => sum + (v - mean) ** 2, 0) / values.length);
    expect(Math.abs(mean)).toBeLessThan(0.003); // 16,384 draws: four standard errors
    expect(Math.abs(deviation - 0.1)).toBeLessThan(0.003);
  });

  it('open the forget gate of both directions of an LSTM, and nothing else of its bias.', () => {
    const bias = initialValues(TINY, 1).get('dialogue.lstm.b') ?? new Float32Array(0);
    const hidden = TINY.contextHidden;
    const ones = [...bias.keys()].filter((i) => bias[i] === 1);
    const range = (from: number): number[] => Array.from({ length: hidden }, (_, i) => from + i);
    expect(ones).toEqual([...range(hidden), ...range(5 * hidden)]);
    expect(bias.every((value) => value === 0 || value === 1)).toBe(true);
  });
});

describe('freezeParameters', () => {
  it('gives every parameter where it lives, in its shape.', () => {
    const p = tinyParameters();
    const values = tinyValues();
    for (const { name, shape, place } of parameterSpecs(TINY)) {
      if (place === 'host') expect(p.host(name)).toEqual(values.get(name));
      else {
        expect([name, p.tensor(name).shape]).toEqual([name, shape]);
        expect(hostOf(p.tensor(name))).toEqual(values.get(name));
      }
    }
    p.dispose();
  });

  it('prepares exactly the recurrent weights.', () => {
    const p = tinyParameters();
    const prepared = parameterSpecs(TINY).flatMap(({ name }) => (p.recurrent(name) ? [name] : []));
    p.dispose();
    const streams = ['text', 'segments', 'face', 'body', 'dialogue', 'speaker'];
    expect(prepared).toEqual(streams.flatMap((name) => [`${name}.lstm.forward`, `${name}.lstm.backward`]));
  });

  it('frees what it made on dispose, and survives a tidy around the making.', () => {
    const before = tf.memory().numTensors;
    const p = tinyParameters();
    expect(tf.memory().numTensors).toBeGreaterThan(before);
    p.dispose();
    expect(tf.memory().numTensors).toBe(before);
  });

  it('says which parameter a defect of ours asks for in vain.', () => {
    const { tensor } = readers(new Map(), new Map());
    expect(() => tensor('head.in.w')).toThrow(new TypeError('no parameter named head.in.w'));
  });

  it('makes nothing of values that do not fit.', () => {
    const values = tinyValues();
    values.delete('head.out.b');
    const before = tf.memory().numTensors;
    expect(() => freezeParameters(TINY, values)).toThrow(/"head.out.b" is missing/);
    expect(tf.memory().numTensors).toBe(before);
  });
});

describe('checkValues', () => {
  it('accepts its own starting values and counts what is in them.', () => {
    const values = initialValues(TINY, 1);
    expect(() => checkValues(TINY, values)).not.toThrow();
    const total = parameterSpecs(TINY).reduce((sum, { shape }) => sum + sizeOf(shape), 0);
    expect([...values.values()].reduce((sum, array) => sum + array.length, 0)).toBe(total);
  });
});
