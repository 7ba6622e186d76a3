import * as tf from '@tensorflow/tfjs-core';
import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import { startTensorBackend } from '../../src/app/tensorBackend.ts';
import { type Mode, MODES } from '../../src/model/config.ts';
import { installGradients } from '../../src/model/ops/gradients.ts';
import type { Parameters } from '../../src/model/parameters.ts';
import { createRandom } from '../../src/model/random.ts';
import {
  type Described,
  DIVERGENCE_TEMPERATURE,
  jointDivergence,
  substitutionLoss,
} from '../../src/training/jointLosses.ts';
import { type GradientInput, gradientErrors, randomInput } from '../support/gradientCheck.ts';
import { randomRow, TINY, tinyParameters } from '../support/tinyModel.ts';

const { width } = TINY;
let tiny: Parameters;
beforeAll(async () => {
  await startTensorBackend('cpu');
  await installGradients();
  tiny = tinyParameters();
});

/** Descriptors by mode, a row for each utterance, with the share of the mode. */
type Plain = Readonly<Record<string, readonly { readonly row: readonly number[]; readonly share: number }[]>>;

function toDescribed(plain: Plain): Described {
  const size = Object.values(plain)[0]?.length ?? 0;
  return {
    descriptors: new Map(
      Object.entries(plain).map(([mode, rows]) => [mode as Mode, tf.tensor2d(rows.map(({ row }) => [...row]))]),
    ),
    shares: new Map(
      MODES.map((mode) => [mode, Float32Array.from({ length: size }, (_, i) => plain[mode]?.[i]?.share ?? 0)]),
    ),
  };
}

const scalarOf = (f: () => tf.Scalar): number => tf.tidy(() => f().dataSync<'float32'>()[0] ?? NaN);
const divergenceOf = (plain: Plain, tau = 1, p: Parameters = tiny): number =>
  scalarOf(() => jointDivergence(p, toDescribed(plain), tf.tensor1d([tau])));
const substitutionOf = (plain: Plain, p: Parameters = tiny): number =>
  scalarOf(() => substitutionLoss(p, TINY, toDescribed(plain)));

/** Parameters whose maps do nothing: what is tested is then what the formula says of the descriptors. */
const PLAIN: Pick<Parameters, 'rotate'> = { rotate: (_, x) => x };
const plainMaps = (): Parameters => ({ ...tiny, ...PLAIN });

function softmax(row: readonly number[], tau: number): number[] {
  const powers = row.map((x) => Math.exp(x / tau));
  return powers.map((power) => power / powers.reduce((a, b) => a + b, 0));
}
function slowDivergence(a: readonly number[], b: readonly number[], tau: number): number {
  const [p, q] = [softmax(a, tau), softmax(b, tau)];
  const kl = (x: readonly number[]): number =>
    x.reduce((sum, share, i) => sum + share * Math.log(share / ((p[i]! + q[i]!) / 2)), 0);
  return (kl(p) + kl(q)) / 2;
}

const random = createRandom(12);
const some = (share = 1): { row: number[]; share: number } => ({ row: randomRow(random, width), share });

describe('jointDivergence', () => {
  it('is the Jensen–Shannon divergence of the mapped descriptors, averaged over pairs and utterances.', () => {
    const plain = { text: [some(), some()], audio: [some(), some()], visual: [some(), some()] };
    const pairs = [
      [plain.text, plain.audio],
      [plain.text, plain.visual],
      [plain.audio, plain.visual],
    ] as const;
    const slow = pairs.flatMap(([a, b]) => a.map(({ row }, i) => slowDivergence(row, b[i]!.row, 0.5)));
    const mean = slow.reduce((x, y) => x + y) / slow.length;
    expect(divergenceOf(plain, 0.5, plainMaps())).toBeCloseTo(mean, 5);
    // With the maps of the network it is another number: they are used.
    expect(Math.abs(divergenceOf(plain, 0.5) - mean)).toBeGreaterThan(1e-3);
  });

  it('is 0 for equal descriptors under equal maps, and lies between 0 and ln 2 for any.', () => {
    const same = some();
    expect(divergenceOf({ text: [same], audio: [same], visual: [same] }, 1, plainMaps())).toBeCloseTo(0, 6);
    const row = fc.array(fc.double({ min: -30, max: 30, noNaN: true }), { minLength: width, maxLength: width });
    fc.assert(
      fc.property(row, row, fc.double({ min: 0.05, max: 1, noNaN: true }), (a, b, tau) => {
        const value = divergenceOf({ text: [{ row: a, share: 1 }], audio: [{ row: b, share: 0.3 }] }, tau);
        expect(value).toBeGreaterThanOrEqual(-1e-6);
        expect(value).toBeLessThanOrEqual(Math.LN2 + 1e-6);
      }),
      { numRuns: 60 },
    );
  });

  it('comes up to ln 2 where modes point to different places.', () => {
    const at = (k: number): number[] => Array.from({ length: width }, (_, i) => (i === k ? 20 : 0));
    const far = { text: [{ row: at(0), share: 1 }], audio: [{ row: at(1), share: 1 }] };
    expect(divergenceOf(far, 0.5, plainMaps())).toBeCloseTo(Math.LN2, 4);
  });

  it('leaves out modes that an utterance lacks, and utterances with a single mode.', () => {
    const [t, a, v] = [some(), some(0.5), some()];
    const whole = divergenceOf({ text: [t], audio: [a] });
    const absent = { row: some().row, share: 0 };
    const other = divergenceOf({
      text: [absent, t, some()],
      audio: [absent, a, absent],
      visual: [v, absent, absent],
    });
    expect(other).toBeCloseTo(whole, 6);
  });

  it('is 0 where no utterance has two modes.', () => {
    const absent = { ...some(), share: 0 };
    expect(divergenceOf({ text: [some(), absent], audio: [absent, some()] })).toBe(0);
    expect(divergenceOf({ text: [some()] })).toBe(0);
  });

  it('clips the temperature to 0.05 and 1, inside of which a higher one brings modes closer.', () => {
    expect(DIVERGENCE_TEMPERATURE).toEqual([0.05, 1]);
    const plain = { text: [some()], audio: [some()] };
    expect(divergenceOf(plain, 7)).toBe(divergenceOf(plain, 1));
    expect(divergenceOf(plain, -3)).toBe(divergenceOf(plain, 0.05));
    expect(divergenceOf(plain, 1)).toBeLessThan(divergenceOf(plain, 0.5));
  });

  it('has the gradients that finite differences give: of descriptors, maps and temperature.', async () => {
    const inputs = new Map<string, GradientInput>([
      ...MODES.map((mode) => [mode, randomInput(random, [3, width])] as const),
      ...MODES.map((mode) => [`joint.${mode}`, randomInput(random, [TINY.reflections, width])] as const),
      ['tau', { shape: [1], values: Float32Array.of(0.4) }],
    ]);
    const shares = new Map<Mode, Float32Array>([
      ['text', Float32Array.of(1, 1, 0)],
      ['audio', Float32Array.of(1, 0.5, 1)],
      ['visual', Float32Array.of(1, 0, 1)],
    ]);
    const errors = await gradientErrors(
      {
        title: 'divergence',
        inputs,
        f: (p) =>
          jointDivergence(
            p,
            { descriptors: new Map(MODES.map((mode) => [mode, p.tensor(mode)])), shares },
            p.vector('tau'),
          ),
      },
      5e-3,
    );
    for (const [name, error] of errors) expect([name, error < 5e-3]).toEqual([name, true]);
  });
});

describe('substitutionLoss', () => {
  it('is 0 where the substitute equals the true descriptor, up to its length, and 2 where it is the opposite.', () => {
    const own = some();
    const scaled = (by: number): Plain['text'] & object => [{ row: own.row.map((x) => by * x), share: 1 }];
    expect(substitutionOf({ text: [own], audio: scaled(3) }, plainMaps())).toBeCloseTo(0, 5);
    expect(substitutionOf({ text: [own], audio: scaled(-2) }, plainMaps())).toBeCloseTo(2, 5);
  });

  it('is 1 − cos of the substitute and the truth, averaged over what is there and could be substituted.', () => {
    const cosine = (a: readonly number[], b: readonly number[]): number =>
      a.reduce((sum, x, i) => sum + x * b[i]!, 0) / Math.hypot(...a) / Math.hypot(...b);
    const [t, a, v] = [some(), some(0.25), some(0.75)];
    const mix = (x: typeof t, y: typeof t): number[] =>
      x.row.map((value, i) => (x.share * value + y.share * y.row[i]!) / (x.share + y.share));
    const slow = [cosine(mix(a, v), t.row), cosine(mix(t, v), a.row), cosine(mix(t, a), v.row)];
    const lonely = { ...some(), share: 0 };
    const value = substitutionOf({ text: [t, some()], audio: [a, lonely], visual: [v, lonely] }, plainMaps());
    expect(value).toBeCloseTo(1 - slow.reduce((x, y) => x + y) / 3, 5);
  });

  it('is 0 where no utterance has two modes.', () => {
    const absent = { ...some(), share: 0 };
    expect(substitutionOf({ text: [some(), absent], audio: [absent, some()] })).toBe(0);
    expect(substitutionOf({ audio: [some()] })).toBe(0);
  });

  it('stops the gradient on the true side: a descriptor moves only by what it is substituted into.', () => {
    // Text can be substituted from audio, and audio from text: with one of them held, only the other term is left.
    const [t, a] = [some(), some()];
    const gradient = (other: number): number[] =>
      tf.tidy(() => {
        const shares = new Map<Mode, Float32Array>(MODES.map((m) => [m, Float32Array.of(m === 'visual' ? 0 : 1)]));
        const audio = tf.tensor2d([a.row.map((x) => other * x)]);
        const loss = (x: tf.Tensor): tf.Scalar =>
          substitutionLoss(plainMaps(), TINY, {
            descriptors: new Map([
              ['text', x as tf.Tensor2D],
              ['audio', audio],
            ]),
            shares,
          });
        return [
          ...tf
            .grad(loss)(tf.tensor2d([t.row]))
            .dataSync<'float32'>(),
        ];
      });
    // The mean of two terms, 1 − cos(audio, stop(text)) and 1 − cos(text, stop(audio)): the second alone reaches text.
    const [nt, na] = [Math.hypot(...t.row), Math.hypot(...a.row)];
    const cos = t.row.reduce((sum, x, i) => sum + x * a.row[i]!, 0) / nt / na;
    const expected = t.row.map((x, i) => -(a.row[i]! / (nt * na) - (cos * x) / nt ** 2) / 2);
    gradient(1).forEach((g, i) => expect(g).toBeCloseTo(expected[i]!, 5));
  });

  it('has the gradients that finite differences give, where the truth is held fixed.', async () => {
    // Visual is never there itself, so that it is no truth; text and audio are held in `fixed`, the maps are differentiated.
    const inputs = new Map<string, GradientInput>(
      (['text', 'audio'] as const).map((mode) => [`joint.${mode}`, randomInput(random, [TINY.reflections, width])]),
    );
    const fixed = new Map((['text', 'audio'] as const).map((mode) => [mode, randomInput(random, [3, width])]));
    const shares = new Map<Mode, Float32Array>([
      ['text', Float32Array.of(1, 0.5, 1)],
      ['audio', Float32Array.of(0.3, 1, 0)],
      ['visual', Float32Array.of(0, 0, 0)],
    ]);
    const f = (p: Parameters): tf.Tensor =>
      substitutionLoss(p, TINY, {
        descriptors: new Map((['text', 'audio'] as const).map((mode) => [mode, p.tensor(mode)])),
        shares,
      });
    const errors = await gradientErrors({ title: 'substitution', inputs, fixed, f }, 5e-3);
    expect([...errors.keys()]).toEqual(['joint.text', 'joint.audio']);
    for (const [name, error] of errors) expect([name, error < 5e-3]).toEqual([name, true]);
  });
});
