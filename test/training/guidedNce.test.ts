import * as tf from '@tensorflow/tfjs-core';
import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import { startTensorBackend } from '../../src/app/tensorBackend.ts';
import { installGradients } from '../../src/model/ops/gradients.ts';
import { createRandom } from '../../src/model/random.ts';
import { createNegativeBank, guidedNce, type NegativeBank, type View } from '../../src/training/guidedNce.ts';
import { gradientErrors, randomInput } from '../support/gradientCheck.ts';
import { dot, randomRow } from '../support/tinyModel.ts';

beforeAll(async () => {
  await startTensorBackend('cpu');
  await installGradients();
});

type Labels = readonly (number | undefined)[];
/** Descriptors of each view; `undefined` where an utterance lacks it. */
type Views = Readonly<Record<string, readonly (readonly number[] | undefined)[]>>;

const WIDTH = 2;
const BOTH = [
  ['a', 'b'],
  ['b', 'a'],
] as const;
const toViews = (views: Views): Map<string, View> =>
  new Map(
    Object.entries(views).map(([name, rows]) => [
      name,
      {
        rows: tf.tensor2d(rows.map((row) => [...(row ?? new Array<number>(WIDTH).fill(9))])),
        isPresent: (row) => rows[row] !== undefined,
      },
    ]),
  );

type Given = {
  readonly views: Views;
  readonly labels: Labels;
  readonly bank?: NegativeBank;
  readonly pairs?: readonly (readonly [string, string])[];
  readonly temperature?: number;
};
const emptyBank = (): NegativeBank => createNegativeBank(WIDTH, 0);

function lossOf({ views, labels, bank = emptyBank(), pairs = BOTH, temperature = 0.5 }: Given): number {
  return tf.tidy(() => guidedNce(toViews(views), labels, pairs, { bank, temperature }).dataSync<'float32'>()[0] ?? NaN);
}

/** −log of the share of the first similarity among all of them, at temperature 0.5. */
const shareLoss = (own: number, ...others: readonly number[]): number =>
  -Math.log(Math.exp(own / 0.5) / [own, ...others].reduce((sum, s) => sum + Math.exp(s / 0.5), 0));

const X = [3, 0];
const Y = [0, 0.5];
const unit = (row: readonly number[]): number[] => row.map((x) => x / Math.hypot(...row));

describe('guidedNce', () => {
  it('is the formula for two utterances of different labels, worked out by hand.', () => {
    // Unit rows: a = (1, 0), (0, 1) and b = (1, 0), (1, 0): from a the first agrees and the second does not.
    const views = { a: [X, Y], b: [X, X] };
    const toB = [shareLoss(1, 1), shareLoss(0, 0)]; // each is as close to the other's b as to its own
    const toA = [shareLoss(1, 0), shareLoss(0, 1)];
    expect(lossOf({ views, labels: [0, 1] })).toBeCloseTo([...toB, ...toA].reduce((x, y) => x + y) / 4, 5);
    expect(lossOf({ views, labels: [0, 1], pairs: [['a', 'b']] })).toBeCloseTo(Math.log(2), 5);
  });

  it('takes only utterances of a different label as negatives, for three utterances worked out by hand.', () => {
    const views = { a: [X, Y, X], b: [X, Y, Y] };
    // 0 and 1 share a label, so each has only utterance 2 against it; 2 has both.
    const rows = [shareLoss(1, 0), shareLoss(1, 1), shareLoss(0, 1, 0)];
    expect(lossOf({ views, labels: [5, 5, 2], pairs: [['a', 'b']] })).toBeCloseTo(rows.reduce((x, y) => x + y) / 3, 5);
  });

  it('is 0 where all utterances have the same label, because there is nothing to tell them from.', () => {
    expect(lossOf({ views: { a: [X, Y], b: [Y, X] }, labels: [1, 1] })).toBeCloseTo(0, 6);
  });

  it('lets an utterance without a label stand against all that have one, and against no other without.', () => {
    const views = { a: [X, X, X], b: [X, Y, X] };
    // 0: against 2. 1: against 2. 2, the only label: nobody is known to be different.
    const rows = [shareLoss(1, 1), shareLoss(0, 1), shareLoss(1)];
    expect(lossOf({ views, labels: [undefined, undefined, 0], pairs: [['a', 'b']] })).toBeCloseTo(
      rows.reduce((x, y) => x + y) / 3,
      5,
    );
  });

  it('averages over the utterances that have both views of a pair, and looks at no other.', () => {
    const whole = lossOf({ views: { a: [X, Y], b: [Y, X] }, labels: [0, 1] });
    const more = lossOf({ views: { a: [X, undefined, Y, X], b: [Y, X, X, undefined] }, labels: [0, 1, 1, 1] });
    expect(more).toBeCloseTo(whole, 6);
  });

  it.each<[string, Views, Labels]>([
    ['no utterance has two views', { a: [X, undefined], b: [undefined, Y] }, [0, 1]],
    ['only one view is there', { a: [X, Y] }, [0, 1]],
    ['there are no utterances', {}, []],
  ])('is 0 when %s.', (_, views, labels) => {
    expect(lossOf({ views, labels })).toBe(0);
  });

  it('is lower when the views of an utterance agree than when they are those of another label.', () => {
    const rows = (seed: number): number[][] => Array.from({ length: 6 }, () => randomRow(createRandom(seed++), WIDTH));
    const a = rows(40);
    const labels = [0, 1, 0, 1, 0, 1];
    const agreeing = lossOf({ views: { a, b: a }, labels });
    const crossed = lossOf({ views: { a, b: a.map((_, i) => a[i ^ 1] ?? X) }, labels });
    expect(agreeing).toBeLessThan(crossed);
  });

  it('depends on the direction of descriptors and not on their length.', () => {
    const views = { a: [[1, 2], Y, X], b: [Y, [2, 1], X] };
    const scaled = { a: views.a.map((row) => row.map((x) => 70 * x)), b: views.b };
    expect(lossOf({ views: scaled, labels: [0, 1, 2] })).toBeCloseTo(lossOf({ views, labels: [0, 1, 2] }), 5);
  });

  it('has the slow sum as its value for any labels, views and banks.', () => {
    const row = fc.constantFrom([1, 0], [0, 2], [-3, 1], [0.5, 0.5]);
    const label = fc.constantFrom(undefined, 0, 1, 2);
    const utterance = fc.record({
      a: fc.option(row, { nil: undefined }),
      b: fc.option(row, { nil: undefined }),
      label,
    });
    fc.assert(
      fc.property(
        fc.array(utterance, { minLength: 1, maxLength: 6 }),
        fc.array(row, { maxLength: 3 }),
        (batch, old) => {
          const bank = createNegativeBank(WIDTH, 10);
          if (old.length > 0)
            bank.add(
              'b',
              Float32Array.from(old.flatMap(unit)),
              old.map((_, i) => i),
            );
          const both = batch.filter(({ a, b }) => a && b);
          const slow = both.map((own, i) => {
            const against = both.filter(
              (other, j) => j !== i && other.label !== undefined && other.label !== own.label,
            );
            const far = old.filter((_, label) => label !== own.label);
            const similarity = (other: readonly number[] = X): number => dot(unit(own.a ?? X), unit(other));
            return shareLoss(similarity(own.b), ...against.map(({ b }) => similarity(b)), ...far.map(similarity));
          });
          const mean = slow.reduce((x, y) => x + y, 0) / Math.max(1, slow.length);
          const views = { a: batch.map(({ a }) => a), b: batch.map(({ b }) => b) };
          const loss = lossOf({ views, labels: batch.map((u) => u.label), bank, pairs: [['a', 'b']] });
          expect(Math.abs(loss - mean)).toBeLessThan(1e-5);
        },
      ),
      { numRuns: 40 },
    );
  });

  it('compares with what the bank keeps of the view that is looked for, not of the one that looks.', () => {
    const views = { a: [X], b: [X] };
    const bank = emptyBank();
    const full = createNegativeBank(WIDTH, 4);
    full.add('b', Float32Array.from([1, 0, 0, 1]), [1, 0]);
    expect(lossOf({ views, labels: [0], bank, pairs: [['a', 'b']] })).toBeCloseTo(0, 6);
    // Of the two that are kept only the first has another label.
    expect(lossOf({ views, labels: [0], bank: full, pairs: [['a', 'b']] })).toBeCloseTo(shareLoss(1, 1), 5);
    const other = createNegativeBank(WIDTH, 4);
    other.add('a', Float32Array.from([1, 0]), [1]);
    expect(lossOf({ views, labels: [0], bank: other, pairs: [['a', 'b']] })).toBeCloseTo(0, 6);
  });

  it('puts unit descriptors of labelled utterances that have the view into the bank, after the loss, once it has settled.', async () => {
    const bank = createNegativeBank(WIDTH, 8);
    const views = { a: [X, Y, undefined, [3, 4]], b: [undefined, undefined, X, undefined] };
    expect(lossOf({ views, labels: [0, undefined, 1, 2], bank })).toBe(0);
    expect(bank.of('a').labels).toEqual([]);
    await bank.settle();
    expect(bank.of('a').labels).toEqual([0, 2]);
    [1, 0, 0.6, 0.8].forEach((x, i) => expect(bank.of('a').rows[i]).toBeCloseTo(x, 5));
    expect(bank.of('b').labels).toEqual([1]);
  });

  it('has finite gradients that finite differences confirm, with a bank and for descriptors of length 0, too.', async () => {
    const random = createRandom(3);
    const labels = [0, 1, undefined, 0];
    const isPresent = (row: number): boolean => row !== 3;
    const names = ['a', 'b'] as const;
    const inputs = new Map(names.map((name) => [name, randomInput(random, [4, WIDTH])]));
    const loss = (rowsOf: (name: string) => tf.Tensor2D): tf.Scalar => {
      const bank = createNegativeBank(WIDTH, 4);
      bank.add('a', Float32Array.from([1, 0, 0, 1]), [1, 0]);
      const views = new Map(names.map((name) => [name, { rows: rowsOf(name), isPresent }]));
      return guidedNce(views, labels, BOTH, { bank, temperature: 0.5 });
    };
    const errors = await gradientErrors({ title: 'nce', inputs, f: (p) => loss((name) => p.tensor(name)) }, 2e-3);
    for (const [name, error] of errors) expect([name, error < 2e-3]).toEqual([name, true]);
    const atZero = tf.tidy(() => {
      const zeros = (x: tf.Tensor): tf.Scalar => loss(() => x as tf.Tensor2D);
      return [
        ...tf
          .grad(zeros)(tf.zeros([4, WIDTH]))
          .dataSync<'float32'>(),
      ];
    });
    expect(atZero.every(Number.isFinite)).toBe(true);
  });
});

describe('createNegativeBank', () => {
  const rowsOf = (labels: readonly number[]): Float32Array => Float32Array.from(labels.flatMap((l) => [l, -l]));

  it('keeps the newest descriptors up to its capacity, each with its label; the oldest go.', () => {
    fc.assert(
      fc.property(
        fc.array(fc.array(fc.integer({ min: 0, max: 99 }), { maxLength: 5 }), { maxLength: 8 }),
        fc.integer({ min: 0, max: 7 }),
        (batches, capacity) => {
          const bank = createNegativeBank(WIDTH, capacity);
          for (const labels of batches) bank.add('view', rowsOf(labels), labels);
          const newest = batches.flat().slice(Math.max(0, batches.flat().length - capacity));
          expect(bank.of('view').labels).toEqual(newest);
          expect([...bank.of('view').rows]).toEqual([...rowsOf(newest)]);
        },
      ),
    );
  });

  it('keeps views apart and has nothing of a view that it was not given.', () => {
    const bank = createNegativeBank(WIDTH, 2);
    bank.add('face', rowsOf([1, 2]), [1, 2]);
    bank.add('body', rowsOf([3]), [3]);
    expect(bank.of('face').labels).toEqual([1, 2]);
    expect(bank.of('body').labels).toEqual([3]);
    expect(bank.of('text')).toEqual({ rows: new Float32Array(0), labels: [] });
  });

  it('is not changed by what is done later to the rows that it was given.', () => {
    const rows: Float32Array = rowsOf([4]);
    const bank = createNegativeBank(WIDTH, 2);
    bank.add('face', rows, [4]);
    rows.fill(0);
    expect([...bank.of('face').rows]).toEqual([4, -4]);
  });
});
