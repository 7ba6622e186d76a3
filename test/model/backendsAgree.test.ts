import * as tf from '@tensorflow/tfjs-core';
import { beforeAll, describe, expect, it } from 'vitest';

import { MODEL_INPUTS } from '../../src/domain/conversationModel.ts';
import { type Backend, BACKENDS, startBackend } from '../../src/model/backend.ts';
import { classifyDialogues, WHOLE_FUTURE } from '../../src/model/dialogueContext.ts';
import { fuse } from '../../src/model/fusion.ts';
import { rotate } from '../../src/model/jointEmbedding.ts';
import { installGradients } from '../../src/model/ops/gradients.ts';
import { hostOf } from '../../src/model/ops/rows.ts';
import { type Parameters, parameterSpecs, readers } from '../../src/model/parameters.ts';
import { createRandom } from '../../src/model/random.ts';
import { randomUtterance, TINY, tinyParameters, tinyValues, toBatch, worstDifference } from '../support/tinyModel.ts';

beforeAll(async () => {
  await startBackend('cpu');
  await installGradients();
});

/** Five utterances of two speakers; each lacks something else, so that substitutes and merges run as well. */
const SUBSETS = [[...MODEL_INPUTS], ['text'], ['prosody', 'face'], ['segments', 'body'], ['text', 'prosody', 'body']];
const DIALOGUE = { rows: [0, 1, 2, 3, 4], speakers: ['a', 'b', 'a', 'a', 'b'] };

function utterances(): ReturnType<typeof randomUtterance>[] {
  const random = createRandom(40);
  return SUBSETS.map((present) => randomUtterance(random, present));
}

/** Logits of the whole dialogue on one backend. */
async function logitsOn(backend: Backend): Promise<Float32Array> {
  await startBackend(backend);
  const p = tinyParameters();
  const logits = tf.tidy(() => hostOf(logitsOf(p)));
  p.dispose();
  return logits.slice();
}

function logitsOf(p: Parameters): tf.Tensor2D {
  const { fused } = fuse(p, TINY, toBatch(utterances()));
  return classifyDialogues(p, fused, [DIALOGUE], WHOLE_FUTURE);
}

/** Gradients of a weighted sum of logits with respect to every tensor parameter that they depend on. */
async function gradientsOn(backend: Backend): Promise<Map<string, Float32Array>> {
  await startBackend(backend);
  const values = tinyValues();
  const specs = parameterSpecs(TINY).filter(({ place, name }) => place === 'tensor' && !name.startsWith('aux.'));
  const found = tf.tidy(() => {
    const inputs = specs.map(({ name, shape }) => tf.tensor(values.get(name) ?? [], [...shape], 'float32'));
    const loss = (...tensors: tf.Tensor[]): tf.Tensor => {
      const byName = new Map(specs.map(({ name }, i) => [name, tensors[i] as tf.Tensor]));
      const read = readers(byName, values);
      const logits = logitsOf({
        ...read,
        isFrozen: false,
        recurrent: () => undefined,
        rotate: (mode, x, direction) => rotate(x, read.tensor(`joint.${mode}`), direction),
      });
      return tf.sum(tf.mul(logits, tf.tensor2d([1, -2, 3, 4, -5, 6, 7, 8, -9, 1, 2, -3, 4, 5, 6], [5, 3])));
    };
    return tf
      .grads(loss)(inputs)
      .map((gradient) => hostOf(gradient).slice());
  });
  return new Map(specs.map(({ name }, i) => [name, found[i] ?? new Float32Array(0)]));
}

describe('the tensor backends', () => {
  it('agree on the logits of a dialogue within 1e-4: sums of some hundred 32-bit products in another order.', async () => {
    const [wasm, cpu] = [await logitsOn('wasm'), await logitsOn('cpu')];
    expect(BACKENDS).toEqual(['wasm', 'cpu']);
    expect(cpu.length).toBe(5 * TINY.labels.length);
    expect(worstDifference(wasm, cpu)).toBeLessThan(1e-4);
  });

  it('agree on the gradient of every parameter within 1e-4 of the largest gradient of that parameter.', async () => {
    const [wasm, cpu] = [await gradientsOn('wasm'), await gradientsOn('cpu')];
    for (const [name, gradient] of cpu) {
      const size = gradient.reduce((max, value) => Math.max(max, Math.abs(value)), 0);
      expect([name, size > 0]).toEqual([name, true]);
      expect([name, worstDifference(wasm.get(name) ?? [], gradient) <= 1e-4 * Math.max(1, size)]).toEqual([name, true]);
    }
  });

  it('leave no tensor behind, on either.', async () => {
    for (const backend of BACKENDS) {
      await logitsOn(backend);
      const before = tf.memory().numTensors;
      await logitsOn(backend);
      await gradientsOn(backend);
      expect(tf.memory().numTensors).toBe(before);
    }
  });

  it('answer the same when asked again: nothing cached from one pass leaks into the next.', async () => {
    const first = await logitsOn('wasm');
    await gradientsOn('wasm');
    expect([...(await logitsOn('wasm'))]).toEqual([...first]);
  });
});
