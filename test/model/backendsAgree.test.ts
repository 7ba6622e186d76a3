import * as tf from '@tensorflow/tfjs-core';
import { beforeAll, describe, expect, it } from 'vitest';

import { MODEL_INPUTS } from '../../src/domain/conversationModel.ts';
import { type Backend, BACKENDS, startBackend } from '../../src/model/backend.ts';
import { classifyDialogues, WHOLE_FUTURE } from '../../src/model/dialogueContext.ts';
import { fuse } from '../../src/model/fusion.ts';
import { installGradients } from '../../src/model/ops/gradients.ts';
import { type Parameters, parameterSpecs } from '../../src/model/parameters.ts';
import { createRandom } from '../../src/model/random.ts';
import { itOn } from '../support/backends.ts';
import { backendGradients, type GradientCase } from '../support/gradientCheck.ts';
import { randomUtterance, TINY, tinyParameters, tinyValues, toBatch, worstDifference } from '../support/tinyModel.ts';

beforeAll(installGradients);

/** Five utterances of two speakers; each lacks something else, so that substitutes and merges run as well. */
const SUBSETS = [[...MODEL_INPUTS], ['text'], ['prosody', 'face'], ['segments', 'body'], ['text', 'prosody', 'body']];
const DIALOGUE = { rows: [0, 1, 2, 3, 4], speakers: ['a', 'b', 'a', 'a', 'b'] };

/** Compared with cpu, whose kernels are the readable reference. */
const OTHERS = ['tensorflow', 'webgpu', 'wasm'] as const satisfies readonly Backend[];

function utterances(): ReturnType<typeof randomUtterance>[] {
  const random = createRandom(40);
  return SUBSETS.map((present) => randomUtterance(random, present));
}

/** Logits of the whole dialogue on one backend, with weights that do not change. */
async function logitsOn(backend: Backend): Promise<Float32Array> {
  await startBackend(backend, 'training');
  const p = tinyParameters();
  const logits = tf.tidy(() => logitsOf(p));
  const values = await logits.data<'float32'>();
  logits.dispose();
  p.dispose();
  return values.slice();
}

function logitsOf(p: Parameters): tf.Tensor2D {
  const { fused } = fuse(p, TINY, toBatch(utterances()));
  return classifyDialogues(p, fused, [DIALOGUE], WHOLE_FUTURE);
}

/** Every tensor parameter that the logits depend on. */
function wholeNetwork(): GradientCase {
  const values = tinyValues();
  const specs = parameterSpecs(TINY).filter(({ place, name }) => place === 'tensor' && !name.startsWith('aux.'));
  const inputs = new Map(specs.map(({ name, shape }) => [name, { shape, values: values.get(name) ?? NOTHING }]));
  return { title: 'the whole network', inputs, f: logitsOf };
}
const NOTHING = new Float32Array(0);

describe('the tensor backends', () => {
  for (const backend of OTHERS) {
    itOn(
      backend,
      `${backend} gives the logits of cpu within 1e-4: some hundred 32-bit products in another order.`,
      async () => {
        const [other, cpu] = [await logitsOn(backend), await logitsOn('cpu')];
        expect(cpu.length).toBe(5 * TINY.labels.length);
        expect(worstDifference(other, cpu)).toBeLessThan(1e-4);
      },
    );

    const title = `${backend} gives the gradient of every parameter within 1e-4 of its largest element on cpu,`;
    itOn(backend, `${title} leaves no tensor behind, and afterwards gives the same logits again.`, async () => {
      const first = await logitsOn(backend);
      const before = tf.memory().numTensors;
      const other = await backendGradients(wholeNetwork());
      expect([...(await logitsOn(backend))]).toEqual([...first]);
      expect(tf.memory().numTensors).toBe(before);
      await startBackend('cpu');
      const cpu = await backendGradients(wholeNetwork());
      for (const [name, gradient] of cpu) {
        const size = gradient.reduce((max, value) => Math.max(max, Math.abs(value)), 0);
        expect([name, size > 0]).toEqual([name, true]);
        const isNear = worstDifference(other.get(name) ?? [], gradient) <= 1e-4 * Math.max(1, size);
        expect([name, isNear]).toEqual([name, true]);
      }
    });
  }

  it('are the ones this file knows.', () => {
    expect([...OTHERS, 'cpu'].toSorted()).toEqual([...BACKENDS].toSorted());
  });
});
