import * as tf from '@tensorflow/tfjs-core';
import { beforeAll, describe, expect, it } from 'vitest';
import { startTensorBackend } from '../../src/app/tensorBackend.ts';
import { UndertoneError } from '../../src/errors.ts';
import type { ModelConfig } from '../../src/model/config.ts';
import { NO_FUTURE, WHOLE_FUTURE } from '../../src/model/dialogueContext.ts';
import { installGradients } from '../../src/model/ops/gradients.ts';
import { initialValues, startValuesOf } from '../../src/model/parameters.ts';
import { createRandom } from '../../src/model/random.ts';
import { type DialogueBatch, toBatch } from '../../src/training/batch.ts';
import { createNegativeBank, type NegativeBank } from '../../src/training/guidedNce.ts';
import { readDataset } from '../../src/training/dataset.ts';
import { createLearner, DIALOGUE_EXTRAS, type Learner } from '../../src/training/learner.ts';
import { showAll } from '../../src/training/masks.ts';
import {
  featureNames,
  globalStatistics,
  type PreparedDialogue,
  prepareDialogues,
  toModelConfig,
} from '../../src/training/prepare.ts';
import { parseTrainConfig, type TrainConfig } from '../../src/training/trainConfig.ts';
import { newLearnerState } from '../../src/training/trainee.ts';
import { createFolders, TINY_CONFIG, wordDataset, writeDataset } from '../support/tinyDataset.ts';

const newFolder = createFolders();
const CONFIG = parseTrainConfig({ ...TINY_CONFIG, dropout: 0, wordDropout: 0 });
let model: ModelConfig;
let dialogues: PreparedDialogue[];

beforeAll(async () => {
  await startTensorBackend('wasm');
  await installGradients();
  const dataset = await readDataset(await writeDataset(await newFolder(), wordDataset({ train: 6 })));
  model = toModelConfig(
    CONFIG,
    [dataset].map((one) => ({ dataset: one, dialogues: one.dialogues })),
  );
  const statistics = globalStatistics(model, [{ dataset, dialogues: dataset.dialogues }], featureNames(CONFIG));
  dialogues = prepareDialogues(model, dataset, dataset.dialogues, statistics, featureNames(CONFIG));
});

const batchOf = (some: readonly PreparedDialogue[]): DialogueBatch =>
  toBatch(
    some,
    some.map((dialogue) => showAll(model, dialogue)),
  );
const startValues = (): Map<string, Float32Array> =>
  new Map([...initialValues(model, 1), ...DIALOGUE_EXTRAS.map((spec) => [spec.name, startValuesOf(spec, 1)] as const)]);
const newLearner = (config: TrainConfig = CONFIG): Learner =>
  createLearner(model, config, newLearnerState(startValues()));
const learnOnce = (learner: Learner, batch: DialogueBatch): Promise<number> =>
  learner.learn(batch, { random: createRandom(1), cut: WHOLE_FUTURE, rate: 1 });

/** Names of the parameters that a learner has changed. */
function changedNames({ state }: Learner): Set<string> {
  const start = startValues();
  return new Set([...state.values].flatMap(([name, now]) => (now.join() === start.get(name)!.join() ? [] : [name])));
}

/** Losses of as many updates on the same batch. */
async function learnTimes(times: number, learner: Learner, batch: DialogueBatch): Promise<number[]> {
  const losses: number[] = [];
  for (let i = 0; i < times; i++) losses.push(await learnOnce(learner, batch));
  return losses;
}

describe('a learner', () => {
  it('lowers the loss of a batch that it sees again and again.', async () => {
    const learner = newLearner();
    const losses = await learnTimes(30, learner, batchOf(dialogues));
    expect(losses.at(-1)).toBeLessThan(0.8 * losses[0]!);
    expect(learner.state.step).toBe(30);
    learner.dispose();
  });

  it('leaves no tensor behind: not after a batch, not after inference, not when it is disposed.', async () => {
    const before = tf.memory().numTensors;
    const learner = newLearner();
    await learnOnce(learner, batchOf(dialogues));
    const open = tf.memory();
    await learnOnce(learner, batchOf(dialogues));
    await learner.infer(batchOf(dialogues), NO_FUTURE);
    expect(tf.memory()).toMatchObject({ numTensors: open.numTensors, numBytes: open.numBytes });
    learner.dispose();
    expect(tf.memory().numTensors).toBe(before);
  });

  it('trains what the batch uses: words and prosody, both contexts, the heads of the modes that are there.', async () => {
    const learner = newLearner();
    await learnOnce(learner, batchOf(dialogues));
    const changed = changedNames(learner);
    for (const name of ['text.word', 'text.ngram', 'prosody.project.w', 'text.lstm.forward', 'acn.0.audio.kv'])
      expect(changed).toContain(name);
    for (const name of ['dialogue.lstm.backward', 'speaker.lstm.forward', 'head.out.w', 'aux.text.w', 'joint.text'])
      expect(changed).toContain(name);
    expect(changed).not.toContain('aux.visual.w');
    expect(changed).not.toContain('prosody.mean');
    learner.dispose();
  });

  it('moves the context and the classifier at a rate of their own where one is given, and everything else as ever.', async () => {
    /** How far the first update of a matrix goes at most; Adam's first step is as long as the rate. */
    const reach = async (config: TrainConfig, name: string): Promise<number> => {
      const learner = newLearner({ ...config, weightDecay: 0 });
      await learnOnce(learner, batchOf(dialogues));
      learner.dispose();
      const start = startValues().get(name)!;
      return Math.max(...learner.state.values.get(name)!.map((now, i) => Math.abs(now - start[i]!)));
    };
    const own = { ...CONFIG, contextLearningRate: 4 * CONFIG.learningRate };
    for (const name of ['dialogue.lstm.x', 'speaker.lstm.forward', 'head.out.w'])
      expect((await reach(own, name)) / (await reach(CONFIG, name))).toBeCloseTo(4, 1);
    for (const name of ['text.lstm.x', 'fusion.hidden.w', 'aux.text.w'])
      expect((await reach(own, name)) / (await reach(CONFIG, name))).toBeCloseTo(1, 1);
  });

  it('shrinks matrices by the same share at whatever rate they move.', async () => {
    const learner = newLearner({ ...CONFIG, contextLearningRate: 4 * CONFIG.learningRate, weightDecay: 0.5 });
    const plain = newLearner({ ...CONFIG, contextLearningRate: 4 * CONFIG.learningRate, weightDecay: 0 });
    for (const one of [learner, plain]) await learnOnce(one, batchOf(dialogues));
    for (const name of ['head.out.w', 'text.lstm.x']) {
      const start = startValues().get(name)!;
      const gap = learner.state.values.get(name)!.map((now, i) => plain.state.values.get(name)![i]! - now);
      const at = start.findIndex((value) => Math.abs(value) === Math.max(...start.map(Math.abs)));
      expect(gap[at]! / start[at]!).toBeCloseTo(0.5, 2);
    }
    for (const one of [learner, plain]) one.dispose();
  });

  it('changes only the rows of words that were there, and no word when none is shown.', async () => {
    const learner = newLearner();
    const first = dialogues.slice(0, 1);
    await learnOnce(learner, batchOf(first));
    const start = initialValues(model, 1).get('text.word')!;
    const now = learner.state.values.get('text.word')!;
    const moved = [...now.keys()].filter((i) => now[i] !== start[i]).map((i) => Math.floor(i / model.width));
    const used = first.flatMap(({ utterances }) => utterances.flatMap(({ tokens }) => tokens.map(({ word }) => word)));
    expect(new Set(moved)).toEqual(new Set(used.filter((word) => word > 0)));
    const deaf = newLearner();
    await learnOnce(deaf, toBatch(first, [first[0]!.utterances.map(() => new Set(['audio' as const]))]));
    expect(changedNames(deaf)).not.toContain('text.word');
    expect(changedNames(deaf)).not.toContain('aux.text.w');
    for (const one of [learner, deaf]) one.dispose();
  });

  it('classifies nothing where there is no label: without the other terms the loss is 0 and nothing changes.', async () => {
    const losses = { contrastive: 0, divergence: 0, substitution: 0 };
    const learner = newLearner(parseTrainConfig({ ...TINY_CONFIG, dropout: 0, weightDecay: 0, losses }));
    const unlabelled = dialogues.map((dialogue) => ({
      ...dialogue,
      utterances: dialogue.utterances.map((utterance) => ({ ...utterance, label: undefined })),
    }));
    expect(await learnOnce(learner, batchOf(unlabelled))).toBe(0);
    expect(changedNames(learner)).toEqual(new Set());
    learner.dispose();
  });

  it('trains the auxiliary head of a mode on the utterances that have it, and on no other.', async () => {
    const [heard, silent] = dialogues.slice(0, 2) as [PreparedDialogue, PreparedDialogue];
    const shown = [showAll(model, heard), silent.utterances.map(() => new Set(['audio' as const]))];
    const headAfter = async (label: number, head: string): Promise<Float32Array> => {
      const learner = newLearner({ ...CONFIG, clipNorm: 1e9 });
      const labelled = { ...silent, utterances: silent.utterances.map((u) => ({ ...u, label })) };
      await learnOnce(learner, toBatch([heard, labelled], shown));
      learner.dispose();
      return learner.state.moments.get(head)!.m;
    };
    expect(await headAfter(0, 'aux.text.w')).toEqual(await headAfter(1, 'aux.text.w'));
    expect(await headAfter(0, 'aux.audio.w')).not.toEqual(await headAfter(1, 'aux.audio.w'));
  });

  it('clips all gradients together, those of the words too.', async () => {
    const learner = newLearner({ ...CONFIG, clipNorm: 1e-3 });
    await learnOnce(learner, batchOf(dialogues));
    const squares = [...learner.state.moments.values()].map(({ m }) => m.reduce((sum, x) => sum + x * x, 0));
    // The first moment after one step is a tenth of the gradient.
    expect(Math.sqrt(squares.reduce((a, b) => a + b, 0)) / 1e-4).toBeCloseTo(1, 3);
    learner.dispose();
  });

  it('moves embeddings and the rest each at its own rate, times the schedule.', async () => {
    const learner = newLearner({ ...CONFIG, learningRate: 1e-3, embeddingLearningRate: 0.02, weightDecay: 0 });
    await learner.learn(batchOf(dialogues), { random: createRandom(1), cut: WHOLE_FUTURE, rate: 0.5 });
    const start = startValues();
    const furthest = (name: string): number =>
      Math.max(...learner.state.values.get(name)!.map((x, i) => Math.abs(x - start.get(name)![i]!)));
    // The first step of Adam has the length of the rate.
    expect(furthest('text.word')).toBeCloseTo(0.01, 4);
    expect(furthest('text.ngram')).toBeCloseTo(0.01, 4);
    expect(furthest('head.out.b')).toBeCloseTo(0.0005, 5);
    learner.dispose();
  });

  it('makes words unknown, without their n-grams, as often as configured.', async () => {
    const learner = newLearner({ ...CONFIG, wordDropout: 1 });
    await learnOnce(learner, batchOf(dialogues));
    expect(changedNames(learner)).toContain('text.lstm.b');
    for (const name of ['text.word', 'text.ngram']) expect(changedNames(learner)).not.toContain(name);
    learner.dispose();
  });

  it('infers with what it has just learnt.', async () => {
    const learner = newLearner();
    const before = await learner.infer(batchOf(dialogues), WHOLE_FUTURE);
    await learnOnce(learner, batchOf(dialogues));
    const after = await learner.infer(batchOf(dialogues), WHOLE_FUTURE);
    const again = createLearner(model, CONFIG, learner.state);
    expect(await again.infer(batchOf(dialogues), WHOLE_FUTURE)).toEqual(after);
    expect(after).not.toEqual(before);
    for (const one of [learner, again]) one.dispose();
  });

  it('decays matrices and not biases, gains or embeddings.', async () => {
    const [plain, decayed] = [0, 0.5].map((weightDecay) => newLearner({ ...CONFIG, weightDecay, learningRate: 1e-9 }));
    for (const learner of [plain!, decayed!]) await learnOnce(learner, batchOf(dialogues));
    const differing = [...decayed!.state.values].flatMap(([name, now]) => {
      const other = plain!.state.values.get(name)!;
      return now.every((x, i) => x === other[i]) ? [] : [name];
    });
    for (const name of ['head.out.w', 'acn.0.text.q', 'text.lstm.x', 'dialogue.lstm.forward'])
      expect(differing).toContain(name);
    expect(differing.filter((name) => /\.(b|gain|bias|word|ngram)$|^joint/.test(name))).toEqual([]);
    const [w, w0] = [decayed!, plain!].map(({ state }) => state.values.get('head.out.w')![0]!);
    expect(w! / w0!).toBeCloseTo(0.5, 5);
    for (const learner of [plain!, decayed!]) learner.dispose();
  });

  it('infers one row of logits per utterance, in batches as alone, and never sees a future that is cut.', async () => {
    const learner = newLearner();
    const whole = await learner.infer(batchOf(dialogues), WHOLE_FUTURE);
    const alone = await learner.infer(batchOf(dialogues.slice(1, 2)), WHOLE_FUTURE);
    expect(whole.length).toBe(24 * 2);
    alone.forEach((z, i) => expect(Math.abs(z - whole[8 + i]!)).toBeLessThan(1e-5));
    const shortened = dialogues.slice(1, 2).map(({ id, utterances }) => ({ id, utterances: utterances.slice(0, 2) }));
    const now = await learner.infer(batchOf(dialogues.slice(1, 2)), NO_FUTURE);
    const short = await learner.infer(batchOf(shortened), NO_FUTURE);
    short.forEach((z, i) => expect(Math.abs(z - now[i]!)).toBeLessThan(1e-5));
    expect(Math.abs(now[0]! - alone[0]!)).toBeGreaterThan(1e-5);
    learner.dispose();
  });

  it('learns joint embedding and agreement of modes also where there is no label.', async () => {
    const learner = newLearner(parseTrainConfig({ ...TINY_CONFIG, dropout: 0, weightDecay: 0 }));
    const unlabelled = dialogues.map((dialogue) => ({
      ...dialogue,
      utterances: dialogue.utterances.map((utterance) => ({ ...utterance, label: undefined })),
    }));
    const losses = await learnTimes(20, learner, batchOf(unlabelled));
    expect(losses.at(-1)).toBeLessThan(losses[0]!);
    expect(changedNames(learner)).toContain('joint.text');
    expect(changedNames(learner)).not.toContain('head.out.w');
    learner.dispose();
  });

  it.each([
    ['joint-embedding', 'joint.text'],
    ['qaf', 'fusion.gate.w'],
    ['dialogue', 'dialogue.lstm.forward'],
    ['speaker', 'speaker.lstm.forward'],
  ])('leaves the parameters of %s alone when it is left out.', async (part, name) => {
    const changedBy = async (without: string[]): Promise<Set<string>> => {
      const learner = newLearner(parseTrainConfig({ ...TINY_CONFIG, weightDecay: 0, without }));
      await learnOnce(learner, batchOf(dialogues));
      learner.dispose();
      return changedNames(learner);
    };
    expect(await changedBy([])).toContain(name);
    expect(await changedBy([part])).not.toContain(name);
  });

  it('has another loss without guided NCE only when there is a bank to compare with.', async () => {
    const lossOf = async (without: string[], bank?: NegativeBank): Promise<number> => {
      const learner = newLearner(parseTrainConfig({ ...TINY_CONFIG, dropout: 0, wordDropout: 0, without }));
      const options = { random: createRandom(1), cut: WHOLE_FUTURE, rate: 1, bank };
      const loss = await learner.learn(batchOf(dialogues), options);
      learner.dispose();
      return loss;
    };
    const alone = await lossOf([]);
    expect(await lossOf([], createNegativeBank(model.width, 16))).toBeGreaterThan(alone);
    expect(await lossOf(['guided-nce'], createNegativeBank(model.width, 16))).toBe(alone);
  });

  it('keeps a running average of all values when asked to, and none otherwise.', async () => {
    const [plain, averaged] = [0, 0.9].map((averaging) =>
      newLearner(parseTrainConfig({ ...TINY_CONFIG, averaging })),
    ) as [Learner, Learner];
    for (const one of [plain, averaged]) {
      for (let i = 0; i < 3; i++) await learnOnce(one, batchOf(dialogues));
      one.dispose();
    }
    expect(plain.state.averages.size).toBe(0);
    const [start, value, average] = [startValues(), averaged.state.values, averaged.state.averages].map((map) =>
      map.get('head.out.w')!,
    ) as [Float32Array, Float32Array, Float32Array];
    const far = (a: Float32Array, b: Float32Array): number => Math.hypot(...a.map((x, i) => x - b[i]!));
    expect(far(average, value)).toBeGreaterThan(0);
    expect(far(average, start)).toBeLessThan(far(value, start));
  });

  it('stops with INTERNAL, before anything is changed, when the loss is not a number.', async () => {
    const values = startValues();
    values.get('head.out.b')!.fill(NaN);
    const learner = createLearner(model, CONFIG, newLearnerState(values));
    await expect(learnOnce(learner, batchOf(dialogues))).rejects.toThrow(UndertoneError);
    expect(learner.state.step).toBe(0);
    learner.dispose();
  });
});
