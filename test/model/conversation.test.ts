import * as tf from '@tensorflow/tfjs-core';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { MODALITIES } from '../../src/domain/modality.ts';
import type { Prediction } from '../../src/domain/utterance.ts';
import { isUndertoneError } from '../../src/errors.ts';
import { startBackend } from '../../src/model/backend.ts';
import { createEmotionModel, type EmotionModel, softmax } from '../../src/model/conversation.ts';
import type { Parameters } from '../../src/model/parameters.ts';
import { offlineLogits } from '../support/offlineNetwork.ts';
import { addAll, randomDialogue, type Spoken, spoken } from '../support/tinyConversation.ts';
import { expectClose, TINY, tinyParameters, tinyWeights } from '../support/tinyModel.ts';

let model: EmotionModel;
let wide: EmotionModel;
let p: Parameters & { dispose(): void };
beforeAll(async () => {
  await startBackend('cpu');
  model = createEmotionModel(tinyWeights());
  wide = createEmotionModel({ ...tinyWeights(), config: { ...TINY, lookAhead: 12 } });
  p = tinyParameters();
});
afterAll(() => {
  model.dispose();
  wide.dispose();
  p.dispose();
});

const SPEAKERS = fc.array(fc.constantFrom('Ann', 'Ben', 'Cy'), { minLength: 1, maxLength: 8 });
const INPUTS = [['text', 'segments'], ['text'], ['segments']];

const offline = (dialogue: readonly Spoken[]): number[][] =>
  offlineLogits(p, TINY, dialogue).map((logits) => softmax(logits, TINY.temperature));

describe('a conversation', () => {
  it('says within 1e-5 what the offline network says, from words and signal to probabilities.', async () => {
    await fc.assert(
      fc.asyncProperty(SPEAKERS, fc.nat(), async (speakers, seed) => {
        const dialogue = randomDialogue(seed, speakers, INPUTS);
        const conversation = wide.open();
        await addAll(conversation, dialogue);
        const found = (await conversation.finish()).flatMap(({ probabilities }) => [...probabilities]);
        expectClose(found, offline(dialogue).flat(), 1e-5);
      }),
      { numRuns: 15 },
    );
  });

  it('gives probabilities that sum to 1, and weights that do too, for whatever is there.', async () => {
    const inputs = [['text', 'prosody', 'segments'], ['prosody'], ['text', 'prosody'], ['segments'], ['text']];
    const answers = await addAll(model.open(), randomDialogue(3, ['Ann', 'Ben', 'Ann', 'Ann', 'Ben', 'Cy'], inputs));
    for (const { probabilities, weights } of answers.flat()) {
      expect(probabilities.reduce((a, b) => a + b, 0)).toBeCloseTo(1, 9);
      expect(MODALITIES.reduce((sum, modality) => sum + weights[modality], 0)).toBeCloseTo(1, 6);
      expect([weights.face, weights.body]).toEqual([0, 0]);
    }
  });

  it('marks each utterance final exactly once, after its look-ahead or at the end, and counts what it has seen.', async () => {
    await fc.assert(
      fc.asyncProperty(SPEAKERS, fc.integer({ min: 0, max: 4 }), async (speakers, lookAhead) => {
        const short = createEmotionModel({ ...tinyWeights(), config: { ...TINY, lookAhead } });
        const conversation = short.open();
        const answers = await addAll(conversation, randomDialogue(1, speakers, [['text']]));
        answers.forEach((answer, i) => {
          const ids = answer.map(({ utteranceId }) => utteranceId);
          const first = Math.max(0, i - lookAhead);
          expect(ids).toEqual(Array.from({ length: i - first + 1 }, (_, k) => `u${first + k}`));
          expect(answer.map((prediction) => prediction.lookAhead)).toEqual(ids.map((_, k) => ids.length - 1 - k));
        });
        const end = await conversation.finish();
        const final = [...answers.flat(), ...end].filter(({ isFinal }) => isFinal);
        expect(final.map(({ utteranceId }) => utteranceId)).toEqual(speakers.map((_, i) => `u${i}`));
        for (const { lookAhead: seen } of answers.flat().filter(({ isFinal }) => isFinal)) expect(seen).toBe(lookAhead);
        expect(await conversation.finish()).toEqual([]);
        short.dispose();
      }),
      { numRuns: 20 },
    );
  });

  it('goes on after the end with what it remembers.', async () => {
    const [first, second] = randomDialogue(2, ['Ann', 'Ann'], [['text']]) as [Spoken, Spoken];
    const conversation = model.open();
    await addAll(conversation, [first]);
    await conversation.finish();
    const [after] = await addAll(conversation, [second]);
    const [fresh] = await addAll(model.open(), [second]);
    expect(after?.map(({ utteranceId }) => utteranceId)).toEqual(['u1']);
    expect(after?.[0]?.probabilities).not.toEqual(fresh?.[0]?.probabilities);
  });

  it('answers the prior, with weights of 0, for an utterance without any modality, and its neighbours ignore it.', async () => {
    const [a, b] = randomDialogue(4, ['Ann', 'Ben'], [['text']]) as [Spoken, Spoken];
    const silent = spoken(7, 'Ann', {});
    const [, , answer] = await addAll(model.open(), [a, silent, b]);
    const [, without] = await addAll(model.open(), [a, b]);
    expect(answer?.[1]?.probabilities).toEqual(TINY.prior);
    expect(answer?.[1]?.weights).toEqual({ text: 0, audio: 0, face: 0, body: 0 });
    expect(probabilitiesOf(answer, 'u0')).toEqual(probabilitiesOf(without, 'u0'));
    expect(probabilitiesOf(answer, 'u1')).toEqual(probabilitiesOf(without, 'u1'));
  });

  it('takes text without a word, and availability 0, as absent.', async () => {
    const given = { text: 'yes', prosody: Float32Array.from({ length: 8 }, (_, i) => i) };
    const { utterance, evidence } = spoken(0, 'Ann', given);
    const muted = { ...evidence, availability: { ...evidence.availability, audio: { share: 0 } } };
    const wordless = spoken(0, 'Ann', { text: ' -- ' });
    expect(await model.open().add(utterance, muted)).toEqual(
      (await addAll(model.open(), [spoken(0, 'Ann', { text: 'yes' })]))[0],
    );
    expect((await model.open().add(wordless.utterance, wordless.evidence))[0]?.probabilities).toEqual(TINY.prior);
  });

  it('refuses evidence that is not finite, not whole rows or not a share, and is as it was before.', async () => {
    const conversation = model.open();
    await addAll(conversation, randomDialogue(5, ['Ann'], [['text', 'prosody']]));
    const before = conversation.save();
    const good = { text: 'no', prosody: new Float32Array(8), segments: new Float32Array(8) };
    const bad = [
      { ...good, prosody: Float32Array.of(1, 2, 3, NaN, 5, 6, 7, 8) },
      { ...good, segments: Float32Array.of(1, 2, Infinity, 4) },
      { ...good, prosody: new Float32Array(7) },
      { ...good, segments: new Float32Array(5) },
    ].map((given) => spoken(1, 'Ann', given));
    const { utterance, evidence } = spoken(1, 'Ann', good);
    for (const share of [NaN, -0.1, 1.1])
      bad.push({ utterance, evidence: { ...evidence, availability: { ...evidence.availability, text: { share } } } });
    for (const attempt of bad) {
      expect(() => conversation.add(attempt.utterance, attempt.evidence)).toThrow(RangeError);
      expect(conversation.save()).toEqual(before);
    }
  });

  it('never shows a number that is not finite as a probability.', () => {
    const weights = tinyWeights();
    const values = new Map(weights.values).set('head.out.w', new Float32Array(8 * 3).fill(3e38));
    values.set('head.hidden.b', new Float32Array(8).fill(3e38));
    const broken = createEmotionModel({ ...weights, values });
    const { utterance, evidence } = spoken(0, 'Ann', { text: 'yes' });
    let thrown: unknown;
    try {
      void broken.open().add(utterance, evidence);
    } catch (error) {
      thrown = error;
    }
    broken.dispose();
    expect(isUndertoneError(thrown) && thrown.code).toBe('INTERNAL');
  });

  it('keeps conversations apart: what is said in one changes nothing in another.', async () => {
    const [one, two] = [model.open(), model.open()];
    const dialogue = randomDialogue(6, ['Ann', 'Ben', 'Ann'], [['text', 'prosody']]);
    const other = randomDialogue(7, ['Ann', 'Ann', 'Ben'], [['prosody', 'segments']]);
    const mixed: (readonly Prediction[])[] = [];
    for (const [i, said] of dialogue.entries()) {
      mixed.push(...(await addAll(one, [said])));
      await addAll(two, [other[i] as Spoken]);
    }
    expect(mixed).toEqual(await addAll(model.open(), dialogue));
  });

  it('leaves no tensor behind, and dispose frees the weights.', async () => {
    const before = tf.memory().numTensors;
    const own = createEmotionModel(tinyWeights());
    const loaded = tf.memory().numTensors;
    await addAll(own.open(), randomDialogue(8, ['Ann', 'Ben', 'Ann', 'Ann', 'Ben'], INPUTS));
    expect(tf.memory().numTensors).toBe(loaded);
    own.dispose();
    expect(tf.memory().numTensors).toBe(before);
  });

  it('names the labels, look-ahead and inputs of its weights.', () => {
    const { labels, lookAhead, inputs } = model.open();
    expect(labels).toEqual(TINY.labels);
    expect(lookAhead).toBe(3);
    expect([...inputs]).toEqual(['text', 'prosody', 'segments', 'face', 'body']);
  });
});

function probabilitiesOf(answer: readonly Prediction[] | undefined, id: string): readonly number[] | undefined {
  return answer?.find(({ utteranceId }) => utteranceId === id)?.probabilities;
}

describe('softmax', () => {
  it('divides by the temperature, sums to 1 and does not overflow.', () => {
    expect(softmax([0, Math.log(3)], 1)[1]).toBeCloseTo(0.75, 12);
    expect(softmax([0, 2 * Math.log(3)], 2)[1]).toBeCloseTo(0.75, 12);
    expect(softmax([1e30, -1e30, 1e30], 1)).toEqual([0.5, 0, 0.5]);
  });
});
