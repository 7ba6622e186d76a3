import * as tf from '@tensorflow/tfjs-core';
import { beforeAll, describe, expect, it } from 'vitest';
import { startTensorBackend } from '../../src/app/tensorBackend.ts';
import type { ModelConfig } from '../../src/model/config.ts';
import { installGradients } from '../../src/model/ops/gradients.ts';
import { initialValues, startValuesOf } from '../../src/model/parameters.ts';
import { createRandom } from '../../src/model/random.ts';
import type { Corpus, Example } from '../../src/training/corpus.ts';
import { fromTexts } from '../../src/training/corpus.ts';
import type { TextCorpus } from '../../src/training/corpora/textCorpus.ts';
import { createEncoderLearner, type EncoderLearner, headSpecs } from '../../src/training/encoderLearner.ts';
import { runEncoderStage, type StageEvent, type StageRun } from '../../src/training/encoderStage.ts';
import { computeMetrics } from '../../src/training/metrics.ts';
import type { EncoderStage } from '../../src/training/stageConfig.ts';
import { parseTrainConfig } from '../../src/training/trainConfig.ts';
import { type LearnerState, newLearnerState } from '../../src/training/trainee.ts';
import { TINY_CONFIG, wordCorpus } from '../support/tinyDataset.ts';
import { randomRow, TINY } from '../support/tinyModel.ts';

beforeAll(async () => {
  await startTensorBackend('wasm');
  await installGradients();
});

const SAID = wordCorpus('said', { train: 96, dev: 40 });
const VALUES = wordCorpus('rated', { train: 96, dev: 40 }, 'values');
const model: ModelConfig = {
  ...TINY,
  inputs: TINY.inputs.map((input) => (input.kind === 'tokens' ? { ...input, tokens: 8 } : input)),
  vocabulary: [...new Set(SAID.rows.flatMap(({ text }) => text.split(' ')))],
};
const use = { splits: ['train'], dev: ['dev'] };
const stageOf = (change: object = {}): EncoderStage => {
  const stage = { name: 'words', mode: 'text', sources: [{ data: 'said' }], batchUtterances: 16, warmUpSteps: 2 };
  const inputs = model.inputs.map(({ dim: _, ...input }) => input);
  return parseTrainConfig({
    ...TINY_CONFIG,
    inputs,
    pretraining: [{ ...stage, epochs: 6, learningRate: 0.01, ...change }],
  }).pretraining[0]!;
};
const corpusOf = (corpus: TextCorpus): Corpus => fromTexts(model, corpus, { ...use, data: corpus.name });

type Ran = { readonly state: LearnerState; readonly events: StageEvent[]; readonly isDone: boolean };

async function run(stage: EncoderStage, corpora: readonly Corpus[], change: Partial<StageRun> = {}): Promise<Ran> {
  const events: StageEvent[] = [];
  const state = newLearnerState(initialValues(model, 1));
  const isDone = await runEncoderStage(stage, corpora, state, 0, {
    model,
    seed: 1,
    perEpoch: new Map(),
    isStopped: () => false,
    report: (event) => events.push(event),
    keep: () => Promise.resolve(),
    ...change,
  });
  return { state, events, isDone };
}
const devOf = (events: readonly StageEvent[]): Readonly<Record<string, number>>[] =>
  events.flatMap((event) => (event.type === 'epoch' ? [event.dev] : []));

describe('runEncoderStage', () => {
  it('learns which word means which label, and moves the words while it does.', async () => {
    const { events, state, isDone } = await run(stageOf(), [corpusOf(SAID)]);
    const scores = devOf(events).map(({ said }) => said);
    expect(isDone).toBe(true);
    expect(scores).toHaveLength(6);
    expect(scores.at(-1)).toBeGreaterThanOrEqual(0.9);
    expect(state.values.get('text.word')).not.toEqual(initialValues(model, 1).get('text.word'));
  });

  it('learns values, and measures them by their correlation.', async () => {
    const { events } = await run(stageOf(), [corpusOf(VALUES)]);
    const [first, last] = [devOf(events)[0]!['rated']!, devOf(events).at(-1)!['rated']!];
    expect(last).toBeGreaterThanOrEqual(0.9);
    expect(last).toBeLessThanOrEqual(1 + 1e-9);
    expect(first).toBeLessThan(last);
  });

  it('learns from several corpora at once, each with a head in its own labels, in batches of one corpus each.', async () => {
    const { events, state } = await run(stageOf({ epochs: 5 }), [corpusOf(SAID), corpusOf(VALUES)]);
    for (const name of ['said', 'rated']) expect(devOf(events).at(-1)![name]).toBeGreaterThanOrEqual(0.8);
    expect(events.filter(({ type }) => type === 'batch')).toHaveLength(5 * 12);
    expect(state.values.get('training.words.said.w')).toHaveLength(model.width * 2);
    expect(state.values.get('training.words.rated.w')).toHaveLength(model.width * 2);
  });

  it('reports every batch and then its epoch, and keeps each epoch before it reports it.', async () => {
    const order: string[] = [];
    await run(stageOf({ epochs: 2, batchUtterances: 60 }), [corpusOf(SAID)], {
      report: (event) =>
        order.push(
          event.type === 'batch' ? `batch ${event.epoch}.${event.batch}/${event.batches}` : `epoch ${event.epoch}`,
        ),
      keep: (epoch) => Promise.resolve(void order.push(`kept ${epoch}`)),
    });
    const epoch = (n: number): string[] => [`batch ${n}.1/2`, `batch ${n}.2/2`, `kept ${n}`, `epoch ${n}`];
    expect(order).toEqual([...epoch(1), ...epoch(2)]);
  });

  it('draws as many examples per epoch as it is told, and others in the next one.', async () => {
    const drawn = (epochs: number, count: number): Promise<Ran> =>
      run(stageOf({ epochs }), [corpusOf(SAID)], { perEpoch: new Map([['said', count]]) });
    const { events } = await drawn(2, 20);
    expect(events.filter(({ type }) => type === 'batch')).toHaveLength(2 * 2);
    const wordsMoved = async (epochs: number): Promise<number> => {
      const { state } = await drawn(epochs, 1);
      const start = initialValues(model, 1).get('text.word')!;
      const moved = [...state.values.get('text.word')!.entries()].filter(([i, now]) => now !== start[i]);
      return new Set(moved.map(([i]) => Math.floor(i / model.width))).size;
    };
    // One text has at most three words.
    expect(await wordsMoved(1)).toBeLessThanOrEqual(3);
    expect(await wordsMoved(6)).toBeGreaterThan(3);
  });

  it('measures two classes by the area under the ROC curve, and more of them by weighted F1.', async () => {
    const two = corpusOf(SAID);
    const toThree = ({ utterance, target }: Example): Example => ({ utterance, target: Float32Array.of(...target, 0) });
    const three: Corpus = {
      ...two,
      names: [...two.names, 'odd'],
      train: two.train.map(toThree),
      dev: two.dev.map(toThree),
    };
    for (const corpus of [two, three]) {
      const stage = stageOf({ epochs: 1, learningRate: 1e-3, embeddingLearningRate: 1e-3 });
      const { events, state } = await run(stage, [corpus]);
      const learner = createEncoderLearner(model, stage, [corpus], state);
      const size = corpus.names.length;
      const logits = await learner.infer(corpus, corpus.dev);
      learner.dispose();
      const rows = corpus.dev.map(({ target }, i) => ({
        truth: target.indexOf(1),
        own: [...logits.slice(i * size, (i + 1) * size)],
      }));
      const outcomes = rows.map(({ truth, own }, i) => ({ dialogue: `${i}`, truth, probabilities: own }));
      const margins = (label: number): number[] =>
        rows.flatMap(({ truth, own }) => (truth === label ? [own[1]! - own[0]!] : []));
      const wins = margins(1).flatMap((yes) => margins(0).map((no) => (yes > no ? 1 : yes === no ? 0.5 : 0)));
      const area = wins.reduce<number>((sum, win) => sum + win, 0) / wins.length;
      const expected = size === 2 ? area : computeMetrics(outcomes, size).weightedF1;
      expect(devOf(events)[0]!['said']).toBeCloseTo(expected, 9);
      expect(expected).toBeLessThan(1);
    }
  });

  it('measures no corpus that has nothing to be measured on.', async () => {
    const { events } = await run(stageOf({ epochs: 1 }), [{ ...corpusOf(SAID), dev: [] }]);
    expect(devOf(events)).toEqual([{}]);
  });

  it('stops after the batch at which it is told to, and says that it is not done.', async () => {
    let asked = 0;
    const { events, isDone } = await run(stageOf(), [corpusOf(SAID)], { isStopped: () => ++asked === 2 });
    expect([events.length, isDone]).toEqual([2, false]);
  });

  it('leaves no tensor behind, stopped or not.', async () => {
    const before = tf.memory().numTensors;
    await run(stageOf({ epochs: 1 }), [corpusOf(SAID)]);
    await run(stageOf({ epochs: 1 }), [corpusOf(SAID)], { isStopped: () => true });
    expect(tf.memory().numTensors).toBe(before);
  });
});

describe('an encoder learner', () => {
  const newLearner = (stage: EncoderStage, corpora: readonly Corpus[]): EncoderLearner => {
    const values = initialValues(model, 1);
    for (const spec of headSpecs(model, stage, corpora)) values.set(spec.name, startValuesOf(spec, 1));
    return createEncoderLearner(model, stage, corpora, newLearnerState(values));
  };
  const plain = { dropout: 0, wordDropout: 0, labelSmoothing: 0, classWeightPower: 0 };
  const learnOnce = (learner: EncoderLearner, corpus: Corpus, examples = corpus.train): Promise<number> =>
    learner.learn(corpus, examples, { random: createRandom(1), rate: 1 });

  it('trains the encoder of its mode and its own head, and nothing else of the network.', async () => {
    const corpora = [corpusOf(SAID), corpusOf(VALUES)];
    const learner = newLearner(stageOf(plain), corpora);
    const start = new Map([...learner.state.values].map(([name, values]) => [name, values.slice()]));
    await learnOnce(learner, corpora[0]!);
    const changed = [...learner.state.values].flatMap(([name, now]) =>
      now.join() === start.get(name)!.join() ? [] : [name],
    );
    expect(changed).toContain('text.word');
    expect(changed).toContain('training.words.said.w');
    expect(changed.filter((name) => !/^text\.|^training\.words\.said\./.test(name))).toEqual([]);
    learner.dispose();
  });

  it('has the cross entropy of its classes as loss: of the shares, when there are several labels.', async () => {
    const corpus = corpusOf(SAID);
    const shared: Corpus = {
      ...corpus,
      train: corpus.train.map((one) => ({ ...one, target: Float32Array.of(0.25, 0.75) })),
    };
    for (const given of [corpus, shared]) {
      const learner = newLearner(stageOf(plain), [given]);
      const logits = await learner.infer(given, given.train);
      const slow = given.train.map(({ target }, i) => {
        const [a, b] = [logits[2 * i]!, logits[2 * i + 1]!];
        const all = Math.log(Math.exp(a) + Math.exp(b));
        return target[0]! * (all - a) + target[1]! * (all - b);
      });
      expect(await learnOnce(learner, given)).toBeCloseTo(slow.reduce((x, y) => x + y) / slow.length, 4);
      learner.dispose();
    }
  });

  it('has half the mean squared error of its values as loss.', async () => {
    const corpus = corpusOf(VALUES);
    const learner = newLearner(stageOf(plain), [corpus]);
    const values = await learner.infer(corpus, corpus.train);
    const squares = corpus.train.flatMap(({ target }, i) => [...target].map((t, k) => (values[2 * i + k]! - t) ** 2));
    expect(await learnOnce(learner, corpus)).toBeCloseTo(squares.reduce((x, y) => x + y) / squares.length / 2, 4);
    learner.dispose();
  });

  it('weighs a rare class more, so that its examples pull harder.', async () => {
    const corpus = corpusOf(SAID);
    const [rare] = corpus.train.filter(({ target }) => target[1] === 1);
    const often = corpus.train.filter(({ target }) => target[0] === 1);
    const skewed: Corpus = { ...corpus, train: [rare!, ...often] };
    const biasAfter = async (classWeightPower: number): Promise<number> => {
      const learner = newLearner(stageOf({ ...plain, classWeightPower }), [skewed]);
      await learnOnce(learner, skewed);
      const gradient = learner.state.moments.get('training.words.said.b')!.m[1]!;
      learner.dispose();
      return gradient;
    };
    // Untrained, both classes are about as likely: the one in n that is rare weighs 1/n of a half, or about as much.
    expect(await biasAfter(0)).toBeGreaterThan(0);
    expect(await biasAfter(1)).toBeLessThan(await biasAfter(0));
  });

  it('answers examples without anything to look at, with its bias alone, and learns from them without harm.', async () => {
    const corpus = corpusOf(SAID);
    const mute: Example[] = corpus.train
      .slice(0, 3)
      .map(({ utterance, target }) => ({ utterance: { ...utterance, tokens: [] }, target }));
    const learner = newLearner(stageOf(plain), [corpus]);
    expect([...(await learner.infer(corpus, mute))]).toEqual(new Array(6).fill(0));
    expect(await learnOnce(learner, corpus, mute)).toBeCloseTo(Math.LN2, 5);
    learner.dispose();
  });

  it('infers the same alone as in company, and with what it has just learnt.', async () => {
    const corpus = corpusOf(SAID);
    const learner = newLearner(stageOf(plain), [corpus]);
    const before = await learner.infer(corpus, corpus.dev);
    const alone: number[] = [];
    for (const example of corpus.dev.slice(0, 5)) alone.push(...(await learner.infer(corpus, [example])));
    alone.forEach((z, i) => expect(Math.abs(z - before[i]!)).toBeLessThan(1e-5));
    await learnOnce(learner, corpus);
    expect(await learner.infer(corpus, corpus.dev)).not.toEqual(before);
    learner.dispose();
  });

  it.each([
    ['audio', { prosody: 16, segments: 4 }, /^(prosody|segments|audio)\./],
    ['visual', { face: 5, body: 3 }, /^(face|body|visual)\./],
  ] as const)('learns %s from rows as well.', async (mode, widths, own) => {
    const random = createRandom(4);
    const rowsOf = (label: number): Map<string, Float32Array> =>
      new Map(
        Object.entries(widths).map(([name, width]) => [
          name,
          Float32Array.from(randomRow(random, width), (x) => x + 2 * label - 1),
        ]),
      );
    const examples = Array.from({ length: 24 }, (_, i): Example => {
      const label = i % 2;
      const utterance = { id: `d/${i}`, speaker: '', label, tokens: [], rows: rowsOf(label) };
      return { utterance, target: Float32Array.of(1 - label, label) };
    });
    const corpus: Corpus = { name: 'rows', target: 'classes', names: ['no', 'yes'], train: examples, dev: [] };
    const learner = newLearner(stageOf({ ...plain, mode, learningRate: 0.01 }), [corpus]);
    const losses: number[] = [];
    for (let i = 0; i < 25; i++) losses.push(await learnOnce(learner, corpus));
    expect(losses.at(-1)).toBeLessThan(0.5 * losses[0]!);
    const names = [...learner.state.moments.keys()].filter((name) => !name.startsWith('training.'));
    expect(names.length).toBeGreaterThan(0);
    expect(names.filter((name) => !own.test(name))).toEqual([]);
    learner.dispose();
  });

  it('refuses to go on when the loss is not a number, with nothing changed.', async () => {
    const corpus = corpusOf(SAID);
    const learner = newLearner(stageOf(plain), [corpus]);
    const broken = corpus.train.map((one) => ({ ...one, target: Float32Array.of(NaN, 1) }));
    await expect(learnOnce(learner, corpus, broken)).rejects.toThrow(expect.objectContaining({ code: 'INTERNAL' }));
    expect(learner.state.step).toBe(0);
    learner.dispose();
  });
});
