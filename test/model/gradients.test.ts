import * as tf from '@tensorflow/tfjs-core';
import { beforeAll, describe, expect, it } from 'vitest';

import { MODEL_INPUTS } from '../../src/domain/conversationModel.ts';
import { startBackend } from '../../src/model/backend.ts';
import { crossAttend, toKeysValues } from '../../src/model/crossAttention.ts';
import { classifyDialogues, NO_FUTURE, toSequences, WHOLE_FUTURE } from '../../src/model/dialogueContext.ts';
import { encode, type ModeTokens } from '../../src/model/encoders.ts';
import { fuse, substitute } from '../../src/model/fusion.ts';
import { bilstm, dense, normalise } from '../../src/model/layers.ts';
import { attend } from '../../src/model/ops/attention.ts';
import { installGradients } from '../../src/model/ops/gradients.ts';
import { lstm } from '../../src/model/ops/lstm.ts';
import { toOffsets } from '../../src/model/ops/ragged.ts';
import { gatherRows, meanRows } from '../../src/model/ops/rows.ts';
import { type Parameters, parameterSpecs } from '../../src/model/parameters.ts';
import { createRandom, type Random } from '../../src/model/random.ts';
import { createNegativeBank, guidedNce } from '../../src/training/guidedNce.ts';
import { type Described, jointDivergence, substitutionLoss } from '../../src/training/jointLosses.ts';
import { focalLoss, toTargets } from '../../src/training/losses.ts';
import { itOn } from '../support/backends.ts';
import {
  backendGradients,
  backendValue,
  type GradientCase,
  gradientErrors,
  type GradientInput,
  randomInput,
} from '../support/gradientCheck.ts';
import { expectClose, randomUtterance, TINY, tinyValues, toBatch } from '../support/tinyModel.ts';

beforeAll(installGradients);

const random = createRandom(60);
const inputs = (shapes: Readonly<Record<string, readonly number[]>>): Map<string, GradientInput> =>
  new Map(Object.entries(shapes).map(([name, shape]) => [name, randomInput(random, shape)]));

/** The tiny network's own values for all tensor parameters whose names match. */
function parameters(pattern: RegExp): Map<string, GradientInput> {
  const values = tinyValues();
  return new Map(
    parameterSpecs(TINY)
      .filter(({ name, place }) => place === 'tensor' && pattern.test(name))
      .map(({ name, shape }) => [name, { shape, values: values.get(name) ?? new Float32Array(0) }]),
  );
}

/** Five utterances of two speakers; each lacks something else, so that substitutes and merges run as well. */
const SUBSETS = [[...MODEL_INPUTS], ['text'], ['prosody', 'face'], ['segments', 'body'], ['text', 'prosody', 'body']];
const utterances = (from: Random): ReturnType<typeof randomUtterance>[] => SUBSETS.map((s) => randomUtterance(from, s));
const DIALOGUE = { rows: [0, 1, 2, 3, 4], speakers: ['a', 'b', 'a', 'a', 'b'] };

/** Three items of a central mode and two others; the second lacks one of them, the third has nothing at all. */
const MODES = {
  text: { offsets: toOffsets([3, 1, 0]), share: Float32Array.from([1, 0.5, 0]) },
  audio: { offsets: toOffsets([2, 0, 0]), share: Float32Array.from([0.75, 0, 0]) },
  visual: { offsets: toOffsets([1, 4, 0]), share: Float32Array.from([0.25, 1, 0]) },
} as const;

/**
 * Everything that is trained: one row per layer or loss. A new one belongs here: name its inputs and compute it from them.
 * Ties and kinks (an activation at exactly 0) would show as errors; random values do not meet them.
 */
const CASES: readonly GradientCase[] = [
  {
    title: 'dense, with its activation',
    inputs: inputs({ x: [5, 4], 'd.w': [4, 6], 'd.b': [6] }),
    f: (p) => dense(p, 'd', p.tensor('x'), 'relu'),
  },
  {
    title: 'layer normalisation of a sum',
    inputs: inputs({ x: [4, 6], r: [4, 6], 'n.gain': [6], 'n.bias': [6] }),
    f: (p) => normalise(p, 'n', p.tensor('x'), p.tensor('r')),
  },
  {
    title: 'gathering rows, some of them twice, never or as zeros',
    inputs: inputs({ x: [5, 3] }),
    f: (p) => gatherRows(p.tensor('x'), Int32Array.of(4, -1, 0, 4, 2, 4)),
  },
  {
    title: 'means of rows, of items without rows too',
    inputs: inputs({ x: [6, 3] }),
    f: (p) => meanRows(p.tensor('x'), toOffsets([2, 0, 1, 3, 0])),
  },
  {
    title: 'an LSTM over sequences of different length, one row in none',
    inputs: inputs({ gates: [7, 12], recurrent: [3, 12] }),
    f: (p) => lstm(p.tensor('gates'), p.tensor('recurrent'), [[5], [0, 3, 1], [], [4, 6]]),
  },
  {
    title: 'a bidirectional LSTM whose future is cut',
    inputs: inputs({
      x: [5, 4],
      'l.lstm.x': [4, 32],
      'l.lstm.b': [32],
      'l.lstm.forward': [4, 16],
      'l.lstm.backward': [4, 16],
    }),
    f: (p) => {
      const streams = toSequences([DIALOGUE], () => [2, 3]);
      return bilstm(p, 'l', p.tensor('x'), streams.speaker, streams.speakerBack);
    },
  },
  {
    title: 'attention to several sources, some excluded and some empty',
    inputs: inputs({ q: [5, 8], one: [6, 16], two: [4, 16] }),
    f: (p) =>
      attend(
        p.tensor('q'),
        toOffsets([2, 1, 0, 2]),
        [
          { keysValues: p.tensor('one'), offsets: toOffsets([3, 1, 1, 1]), weights: Float32Array.of(0.25, 1, 1, 0) },
          { keysValues: p.tensor('two'), offsets: toOffsets([2, 0, 1, 1]), weights: Float32Array.of(0.75, 0, 0, 0) },
        ],
        2,
      ),
  },
  {
    title: 'cross-attention of one central mode, with absent others',
    inputs: new Map([
      ...inputs({ text: [4, 16], audio: [2, 16], visual: [5, 16] }),
      ...parameters(/^acn\.\d\.text\.(q|o|ff|norm)|^acn\.\d\.(audio|visual)\.kv/),
    ]),
    f: (p) => {
      const modes = new Map<keyof typeof MODES, ModeTokens>(
        (['text', 'audio', 'visual'] as const).map((mode) => [
          mode,
          { tokens: p.tensor(mode), offsets: MODES[mode].offsets },
        ]),
      );
      const others = new Map([...modes].filter(([mode]) => mode !== 'text'));
      const keysValues = toKeysValues(p, TINY, others);
      const shareOf = (mode: keyof typeof MODES): Float32Array => MODES[mode].share;
      const given = modes.get('text') as ModeTokens;
      return crossAttend(p, TINY, { mode: 'text', given }, { modes, keysValues, shareOf });
    },
  },
  ...(['map', 'inverse'] as const).map((direction): GradientCase => ({
    title: `the orthogonal ${direction} of a mode`,
    inputs: new Map([...inputs({ x: [3, 16] }), ...parameters(/^joint\.audio/)]),
    f: (p) => p.rotate('audio', p.tensor('x'), direction),
  })),
  {
    title: 'the substitute for an absent mode',
    inputs: new Map([...inputs({ audio: [3, 16], visual: [3, 16] }), ...parameters(/^joint/)]),
    f: (p) => {
      const own = new Map((['audio', 'visual'] as const).map((mode) => [mode, p.tensor(mode)]));
      const shares = new Map([
        ['text', Float32Array.of(0, 0, 0)],
        ['audio', Float32Array.of(1, 0.5, 0)],
        ['visual', Float32Array.of(0.5, 0, 1)],
      ] as const);
      return substitute(p, TINY, 'text', own, shares, {});
    },
  },
  {
    title: 'the encoders of all modes',
    inputs: parameters(/^(text|prosody|segments|face|body|audio|visual)\./),
    f: (p) =>
      tf.concat(
        [...encode(p, TINY, toBatch(utterances(createRandom(61)))).values()].map(({ tokens }) => tokens),
        0,
      ),
  },
  {
    title: 'fusion, with substitutes',
    inputs: parameters(/^(joint|fusion|acn\.1|visual\.self\.1)/),
    fixed: parameters(/./),
    f: (p) => fuse(p, TINY, toBatch(utterances(createRandom(62)))).fused,
  },
  {
    title: 'the classification of a dialogue',
    inputs: new Map([...inputs({ fused: [5, 48] }), ...parameters(/^(dialogue|speaker|head)/)]),
    f: (p) => classifyDialogues(p, p.tensor('fused'), [DIALOGUE], WHOLE_FUTURE),
  },
  {
    title: 'the classification of a dialogue without any future',
    inputs: new Map([...inputs({ fused: [5, 48] }), ...parameters(/^speaker\.lstm\.(x|b|forward)$/)]),
    fixed: parameters(/^(dialogue|speaker|head)/),
    f: (p) => classifyDialogues(p, p.tensor('fused'), [DIALOGUE], NO_FUTURE),
  },
  ...[0, 1, 2].map((gamma): GradientCase => ({
    title: `the focal loss with γ = ${gamma}, unlabelled and uncounted rows`,
    inputs: inputs({ logits: [5, 3] }),
    f: (p) =>
      focalLoss(
        p.tensor('logits'),
        toTargets([0, 2, undefined, 1, 1], [1, 2, 0.5], 0.05, (row) => row !== 3),
        gamma,
      ),
  })),
  ...[0, 3].map((far): GradientCase => ({
    title: `guided NCE with ${far} earlier descriptors, absent views and an unlabelled row`,
    inputs: inputs({ text: [5, 8], audio: [5, 8], face: [5, 8] }),
    f: (p) => {
      const bank = createNegativeBank(8, 4);
      if (far > 0)
        bank.add(
          'audio',
          Float32Array.from({ length: 8 * far }, (_, i) => Math.sin(i) / 2),
          [0, 1, 2],
        );
      const missing = { text: 4, audio: 1, face: 0 };
      const views = new Map(
        Object.entries(missing).map(([name, absent]) => [
          name,
          { rows: p.tensor(name), isPresent: (row: number) => row !== absent },
        ]),
      );
      const pairs = [['text', 'audio'] as const, ['audio', 'text'] as const, ['face', 'audio'] as const];
      return guidedNce(views, [0, 1, undefined, 0, 2], pairs, { bank, temperature: 0.3 });
    },
  })),
  {
    title: 'the divergence of the joint embedding, with absent modes and its temperature',
    inputs: new Map([
      ...inputs({ text: [4, 16], audio: [4, 16], visual: [4, 16] }),
      ...parameters(/^joint/),
      ['tau', { shape: [1], values: Float32Array.of(0.4) }],
    ]),
    f: (p) => jointDivergence(p, described(p), p.tensor('tau').as1D()),
  },
  {
    // The descriptors that it is measured against are held fixed, so its gradient by them is not its slope.
    title: 'the substitution loss, by the orthogonal maps',
    inputs: parameters(/^joint/),
    fixed: inputs({ text: [4, 16], audio: [4, 16], visual: [4, 16] }),
    f: (p) => substitutionLoss(p, TINY, described(p)),
  },
];

/** Descriptors of four utterances: with all modes, without text, without the picture, and with text alone. */
function described(p: Parameters): Described {
  return {
    descriptors: new Map((['text', 'audio', 'visual'] as const).map((mode) => [mode, p.tensor(mode)])),
    shares: new Map([
      ['text', Float32Array.of(1, 0, 0.5, 1)],
      ['audio', Float32Array.of(1, 0.5, 0.25, 0)],
      ['visual', Float32Array.of(0.5, 0.25, 0, 0)],
    ]),
  };
}

describe('the gradient of', () => {
  beforeAll(async () => void (await startBackend('cpu')));

  it.each(CASES)('$title equals central differences within 3e-3 of its length, for every input.', async (given) => {
    for (const [name, error] of await gradientErrors(given, 3e-3))
      expect([name, error, error < 3e-3]).toEqual([name, error, true]);
  });
});

/** Results on the cpu backend, whose host kernels are the readable reference. */
async function reference(given: GradientCase): Promise<Results> {
  await startBackend('cpu');
  return results(given);
}

type Results = { readonly value: Float32Array; readonly gradients: ReadonlyMap<string, Float32Array> };

async function results(given: GradientCase): Promise<Results> {
  return { value: await backendValue(given), gradients: await backendGradients(given) };
}

describe.each(['tensorflow', 'webgpu', 'wasm'] as const)('on %s', (backend) => {
  for (const given of CASES)
    itOn(backend, `${given.title}: value and gradients are those of cpu within 1e-4 of the largest.`, async () => {
      const expected = await reference(given);
      await startBackend(backend, 'training');
      const tensors = tf.memory().numTensors;
      const actual = await results(given);
      expectNear(actual.value, expected.value);
      for (const [name, gradient] of expected.gradients) expectNear(actual.gradients.get(name) ?? [], gradient);
      expect(tf.memory().numTensors).toBe(tensors);
    });
});

function expectNear(actual: ArrayLike<number>, expected: Float32Array): void {
  expectClose(actual, expected, 1e-4 * expected.reduce((max, value) => Math.max(max, Math.abs(value)), 1e-3));
}
