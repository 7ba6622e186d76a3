import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { MODALITIES, type Modality, perModality } from '../../src/domain/modality.ts';
import {
  createEmotionModel,
  decodeWeights,
  type EmotionModel,
  encodeWeights,
  type InputSpec,
  MODEL_INPUTS,
  type ModelConfig,
  speakerFromName,
  startBackend,
  type UtteranceEvidence,
} from '../../src/index.ts';
import { createVariant, softmax } from '../../src/model/conversation.ts';
import { ABLATIONS } from '../../src/model/fusion.ts';
import { createRandom } from '../../src/model/random.ts';
import { offlineLogits } from '../support/offlineNetwork.ts';
import { addAll, type Spoken } from '../support/tinyConversation.ts';
import { expectClose, randomRow, TINY, tinyParameters, tinyWeights } from '../support/tinyModel.ts';

const opened: EmotionModel[] = [];
const open = (config: ModelConfig): EmotionModel => {
  const model = createEmotionModel(decodeWeights(encodeWeights(tinyWeights(config), 'F32')));
  opened.push(model);
  return model;
};
beforeAll(async () => {
  await startBackend('cpu');
});
afterAll(() => opened.forEach((model) => model.dispose()));

const random = createRandom(11);
const rowsOf = (count: number, dim: number): Float32Array => Float32Array.from(randomRow(random, count * dim));
/** Everything that the tiny model can hear, different at each call. */
const everything = (): Required<Omit<UtteranceEvidence, 'vectors' | 'availability'>> => ({
  text: ['yes, fine!', 'no', 'really?'][Math.floor(3 * random())]!,
  prosody: rowsOf(1, 8),
  segments: rowsOf(6, 4),
  face: rowsOf(7, 5),
  body: rowsOf(5, 3),
});
const say = (
  i: number,
  speaker: string,
  given: Omit<UtteranceEvidence, 'availability'>,
  heard: Modality[],
): Spoken => ({
  utterance: { id: `u${i}`, speaker: speakerFromName(speaker, 'track'), startMs: 0, endMs: 1 },
  evidence: { ...given, availability: perModality((m) => ({ share: heard.includes(m) ? 1 : 0 })) },
});
const SUBSETS = Array.from({ length: 31 }, (_, i) => MODEL_INPUTS.filter((_, bit) => ((i + 1) >> bit) & 1));
const MODALITY_OF: Record<string, Modality> = Object.fromEntries(TINY.inputs.map((i) => [i.name, i.modality]));
const answerOf = async (model: EmotionModel, given: Spoken): Promise<readonly number[]> =>
  (await model.open().add(given.utterance, given.evidence))[0]!.probabilities;

describe('a conversation', () => {
  it('hears every subset of the inputs as the offline network does, and weighs only what it heard.', async () => {
    const model = open({ ...TINY, lookAhead: 4 });
    const p = tinyParameters(TINY);
    expect(SUBSETS).toHaveLength(31);
    for (const subset of SUBSETS) {
      const heard = [...new Set(subset.map((name) => MODALITY_OF[name]!))];
      const dialogue = ['Ann', 'Ben', 'Ann'].map((speaker, i) => {
        const all = everything();
        return say(i, speaker, Object.fromEntries(subset.map((name) => [name, all[name as 'prosody']])), heard);
      });
      const conversation = model.open();
      await addAll(conversation, dialogue);
      const found = await conversation.finish();
      const expected = offlineLogits(p, TINY, dialogue).map((logits) => softmax(logits, TINY.temperature));
      expectClose(
        found.flatMap(({ probabilities }) => [...probabilities]),
        expected.flat(),
        1e-5,
      );
      for (const { weights } of found) {
        for (const m of MODALITIES) expect([subset, m, weights[m] > 0]).toEqual([subset, m, heard.includes(m)]);
        expect(MODALITIES.reduce((sum, m) => sum + weights[m], 0)).toBeCloseTo(1, 6);
      }
    }
    p.dispose();
  });

  it('counts a modality as heard when only one of its inputs has rows, and not when none has.', async () => {
    const model = open(TINY);
    const { segments, text } = everything();
    const [first] = await model.open().add(...both(say(0, 'Ann', { text, segments }, ['text', 'audio', 'face'])));
    expect(first!.weights.audio).toBeGreaterThan(0);
    expect(first!.weights.face).toBe(0);
    const empty = say(0, 'Ann', { text, prosody: new Float32Array(0), face: new Float32Array(0) }, ['text', 'audio']);
    expect(await answerOf(model, empty)).toEqual(await answerOf(model, say(0, 'Ann', { text }, ['text'])));
  });

  it('serves any label set: the six of IEMOCAP, through a weights file.', async () => {
    const labels = ['happy', 'sad', 'neutral', 'angry', 'excited', 'frustrated'];
    const model = open({ ...TINY, labels, prior: [0.1, 0.1, 0.2, 0.2, 0.2, 0.2] });
    const conversation = model.open();
    expect(conversation.labels).toEqual(labels);
    const said = [0, 1, 2].map((i) => say(i, 'Ann', everything(), ['text', 'audio', 'face', 'body']));
    for (const { probabilities } of (await addAll(conversation, said)).flat()) {
      expect(probabilities).toHaveLength(6);
      expect(probabilities.reduce((a, b) => a + b, 0)).toBeCloseTo(1, 9);
    }
    expect(await answerOf(model, say(0, 'Ann', {}, []))).toEqual([0.1, 0.1, 0.2, 0.2, 0.2, 0.2]);
  });
});

const input = (name: string, modality: Modality, kind: InputSpec['kind'], dim: number): InputSpec => ({
  ...{ name, modality, kind, dim, tokens: 4, speakerRelative: false },
});
const OWN: ModelConfig = {
  ...TINY,
  inputs: [input('roberta', 'text', 'vector', 768), input('wav2vec', 'audio', 'sequence', 32)],
  vocabulary: [],
};

describe('inputs of the user’s own encoders', () => {
  it('are given by name as vectors or sequences, and change the answer.', async () => {
    const model = open(OWN);
    expect([...model.open().inputs]).toEqual(['roberta', 'wav2vec']);
    const [roberta, wav2vec] = [rowsOf(1, 768), rowsOf(9, 32)];
    const both = await answerOf(model, say(0, 'Ann', { vectors: { roberta, wav2vec } }, ['text', 'audio']));
    const text = await answerOf(model, say(0, 'Ann', { vectors: { roberta } }, ['text', 'audio']));
    const other = await answerOf(model, say(0, 'Ann', { vectors: { roberta: rowsOf(1, 768) } }, ['text', 'audio']));
    expect(new Set([both, text, other].map((p) => p[0])).size).toBe(3);
    const hidden = await answerOf(model, say(0, 'Ann', { vectors: { roberta, wav2vec } }, ['text']));
    expect(hidden).toEqual(text);
  });

  it('are enough without any word, and words are then not read.', async () => {
    const model = open({ ...OWN, inputs: [input('text', 'text', 'vector', 768)] });
    const vectors = { text: rowsOf(1, 768) };
    const answer = await answerOf(model, say(0, 'Ann', { vectors }, ['text']));
    expect(answer).not.toEqual(TINY.prior);
    expect(await answerOf(model, say(0, 'Ann', { vectors, text: 'awful' }, ['text']))).toEqual(answer);
    expect(await answerOf(model, say(0, 'Ann', { text: 'awful' }, ['text']))).toEqual(TINY.prior);
  });

  it('leave a small state, however wide they are, when they are not relative to the speaker.', async () => {
    const conversation = open(OWN).open();
    const said = [0, 1, 2, 3].map((i) => say(i, `S${i}`, { vectors: { roberta: rowsOf(1, 768) } }, ['text']));
    await addAll(conversation, said);
    expect(conversation.save().length).toBeLessThan(8 * 1024);
  });

  it.each<[string, Record<string, Float32Array>, RegExp]>([
    ['an input the weights do not have', { bert: new Float32Array(768) }, /roberta, wav2vec.*got "bert"/],
    ['a name every object has', { ['constructor']: new Float32Array(1) }, /got "constructor"/],
    ['an input with a field of its own', { prosody: new Float32Array(8) }, /got "prosody"/],
    ['a vector of another width', { roberta: new Float32Array(767) }, /roberta must hold one row of 768 .* got 767/],
    ['two rows of a vector', { roberta: new Float32Array(1536) }, /roberta must hold one row/],
    ['half a row of a sequence', { wav2vec: new Float32Array(48) }, /wav2vec must hold rows of 32/],
    ['a number that is not finite', { wav2vec: new Float32Array(32).fill(NaN) }, /finite/],
  ])('refuse %s, and nothing is counted.', (_, vectors, rule) => {
    const conversation = open(OWN).open();
    const before = conversation.save();
    const { utterance, evidence } = say(0, 'Ann', { vectors }, ['text', 'audio']);
    expect(() => conversation.add(utterance, evidence)).toThrow(RangeError);
    expect(() => conversation.add(utterance, evidence)).toThrow(rule);
    expect(conversation.save()).toEqual(before);
  });
});

describe('temperatures', () => {
  const temperatures = { text: 0.5, 'text+audio': 3, 'audio+visual': 2 };
  const ALL: Modality[] = [...MODALITIES];
  const given = everything();
  const HEARD: [string, Modality[], number][] = [
    ['text', ['text'], 0.5],
    ['text and audio', ['text', 'audio'], 3],
    ['audio and body', ['audio', 'body'], 2],
    ['audio, face and body', ['audio', 'face', 'body'], 2],
    ['audio, without an entry', ['audio'], TINY.temperature],
    ['everything, without an entry', ALL, TINY.temperature],
  ];

  it.each(HEARD)('are chosen by the modes that were heard: %s.', async (_, heard, temperature) => {
    const said = say(0, 'Ann', given, heard);
    const p = tinyParameters(TINY);
    const expected = softmax(offlineLogits(p, TINY, [said])[0]!, temperature);
    p.dispose();
    expectClose(await answerOf(open({ ...TINY, temperatures }), said), expected, 1e-6);
  });

  it('belong to the utterance, also after it was saved and when a modality comes late.', async () => {
    const model = open({ ...TINY, temperatures });
    const dialogue = HEARD.slice(0, 3).map(([, heard], i) => say(i, 'Ann', given, heard));
    const conversation = model.open();
    await addAll(conversation, dialogue);
    const resumed = model.open(conversation.save());
    const next = say(3, 'Ben', given, ['text']);
    const answer = await resumed.add(...both(next));
    expect(answer).toEqual(await conversation.add(...both(next)));
    const p = tinyParameters(TINY);
    const logits = offlineLogits(p, TINY, [...dialogue, next]);
    const late = say(2, 'Ann', given, ['text', 'audio']);
    const lateLogits = offlineLogits(p, TINY, [...dialogue.slice(0, 2), late, next]);
    p.dispose();
    [0.5, 3, 2].forEach((t, i) => expectClose(answer[i]!.probabilities, softmax(logits[i]!, t), 1e-5));
    const revised = await resumed.revise(late.utterance, late.evidence);
    expectClose(revised[1]!.probabilities, softmax(lateLogits[2]!, 3), 1e-5);
  });

  it('may have no entry at all: then one temperature holds for every utterance.', async () => {
    const model = open({ ...TINY, temperatures: {} });
    expect(await answerOf(model, say(0, 'Ann', given, ['text']))).toEqual(
      await answerOf(open(TINY), say(0, 'Ann', given, ['text'])),
    );
  });
});

describe('createVariant', () => {
  const dialogue = ['Ann', 'Ben', 'Ann', 'Ben'].map((speaker, i) =>
    say(i, speaker, everything(), i % 2 ? ['text', 'audio'] : [...MODALITIES]),
  );

  it.each(ABLATIONS)('switches off %s as the offline network does, and changes the answer.', async (name) => {
    const without = new Set([name]);
    const model = createVariant(tinyWeights({ ...TINY, lookAhead: 6 }), { without });
    opened.push(model);
    const conversation = model.open();
    await addAll(conversation, dialogue);
    const found = (await conversation.finish()).flatMap(({ probabilities }) => [...probabilities]);
    const p = tinyParameters(TINY);
    const softened = (logits: number[][]): number[] => logits.flatMap((z) => softmax(z, TINY.temperature));
    expectClose(found, softened(offlineLogits(p, TINY, dialogue, { without })), 1e-5);
    const whole = softened(offlineLogits(p, TINY, dialogue));
    p.dispose();
    expect(Math.max(...found.map((value, i) => Math.abs(value - whole[i]!)))).toBeGreaterThan(1e-4);
  });

  it('reads text as it is told to.', async () => {
    const model = createVariant(tinyWeights(), { tokenize: () => [{ word: 2, grams: [] }] });
    opened.push(model);
    expect(await answerOf(model, say(0, 'Ann', { text: 'no' }, ['text']))).toEqual(
      await answerOf(model, say(0, 'Ann', { text: 'something else' }, ['text'])),
    );
  });
});

function both({ utterance, evidence }: Spoken): [Spoken['utterance'], Spoken['evidence']] {
  return [utterance, evidence];
}
