import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { startBackend } from '../../src/model/backend.ts';
import { createEmotionModel, type EmotionModel } from '../../src/model/conversation.ts';
import { MAX_SPEAKERS } from '../../src/model/incrementalContext.ts';
import { createRandom } from '../../src/model/random.ts';
import { addAll, randomDialogue, randomSpoken, type Spoken, spoken } from '../support/tinyConversation.ts';
import { TINY, tinyWeights } from '../support/tinyModel.ts';

let model: EmotionModel;
beforeAll(async () => {
  await startBackend('cpu');
  model = createEmotionModel(tinyWeights());
});
afterAll(() => model.dispose());

const SPEAKERS = fc.array(fc.constantFrom('Ann', 'Ben'), { minLength: 1, maxLength: 8 });

describe('revise', () => {
  it('gives what would have been known from the start, to the bit, when an utterance gets text or another speaker.', async () => {
    await fc.assert(
      fc.asyncProperty(SPEAKERS, fc.nat(2), fc.nat(), async (speakers, back, seed) => {
        const dialogue = randomDialogue(seed, speakers, [['segments'], ['text'], ['text', 'segments']]);
        const at = Math.max(0, dialogue.length - 1 - back);
        const late = randomSpoken(createRandom(seed + 1), at, 'Cy', ['text', 'segments']);
        const conversation = model.open();
        await addAll(conversation, dialogue);
        const revised = await conversation.revise(late.utterance, late.evidence);
        const known = model.open();
        await addAll(
          known,
          dialogue.map((said, i) => (i === at ? late : said)),
        );
        const again = await known.revise(late.utterance, late.evidence);
        expect(revised).toEqual(again);
        const next = [randomSpoken(createRandom(seed + 2), dialogue.length, 'Ann', ['text'])];
        expect(await addAll(conversation, next)).toEqual(await addAll(known, next));
      }),
      { numRuns: 20 },
    );
  });

  it('counts an utterance without modality once its text is there, for itself and for its neighbours.', async () => {
    const [a, b] = randomDialogue(1, ['Ann', 'Ben'], [['text']]) as [Spoken, Spoken];
    const conversation = model.open();
    const [, before] = await addAll(conversation, [a, spoken(1, 'Ben', {})]);
    expect(before?.[1]?.probabilities).toEqual(TINY.prior);
    const after = await conversation.revise(b.utterance, b.evidence);
    const [, known] = await addAll(model.open(), [a, b]);
    expect(after).toEqual(known);
    expect(after[1]?.weights.text).toBe(1);
    expect(after[0]?.probabilities).not.toEqual(before?.[0]?.probabilities);
  });

  it('changes nothing when it says what was known: prosody is not counted twice.', async () => {
    const dialogue = randomDialogue(2, ['Ann', 'Ann', 'Ann'], [['text', 'prosody']]);
    const conversation = model.open();
    const [, , answer] = await addAll(conversation, dialogue);
    const saved = conversation.save();
    for (let i = 0; i < 3; i++) {
      const { utterance, evidence } = dialogue[i % 3] as Spoken;
      expect(await conversation.revise(utterance, evidence)).toEqual(answer);
      expect(conversation.save()).toEqual(saved);
    }
  });

  it('adds text to an utterance whose prosody was counted, as if both had come together.', async () => {
    const dialogue = randomDialogue(3, ['Ann', 'Ben', 'Ann'], [['text', 'prosody']]);
    const { utterance, evidence } = dialogue[2] as Spoken;
    const { text: _, ...wordless } = evidence;
    const conversation = model.open();
    await addAll(conversation, [...dialogue.slice(0, 2), { utterance, evidence: wordless }]);
    const revised = await conversation.revise(utterance, evidence);
    const [, , known] = await addAll(model.open(), dialogue);
    expect(revised).toEqual(known);
  });

  it('counts the prosody of a last utterance for the speaker it turns out to be of, and for no other.', async () => {
    const dialogue = randomDialogue(4, ['Ann', 'Ben', 'Ann', 'Ben'], [['prosody']]);
    const third = dialogue[2] as Spoken;
    const asBen = { ...third, utterance: { ...third.utterance, speaker: spoken(0, 'Ben', {}).utterance.speaker } };
    const conversation = model.open();
    await addAll(conversation, dialogue.slice(0, 3));
    const revised = await conversation.revise(asBen.utterance, asBen.evidence);
    const known = model.open();
    const answers = await addAll(known, [...dialogue.slice(0, 2), asBen]);
    expect(revised).toEqual(answers.at(-1));
    expect(await addAll(conversation, dialogue.slice(3))).toEqual(await addAll(known, dialogue.slice(3)));
  });

  it('answers nothing, and changes nothing, for an utterance that is final or was never there.', async () => {
    const dialogue = randomDialogue(5, ['Ann', 'Ben', 'Ann', 'Ben'], [['text', 'prosody']]);
    const conversation = model.open();
    const answers = await addAll(conversation, dialogue);
    expect(answers[3]?.[0]).toMatchObject({ utteranceId: 'u0', isFinal: true });
    const saved = conversation.save();
    const late = randomSpoken(createRandom(9), 0, 'Ben', ['text', 'prosody']);
    expect(await conversation.revise(late.utterance, late.evidence)).toEqual([]);
    const unknown = randomSpoken(createRandom(9), 77, 'Ben', ['text', 'prosody']);
    expect(await conversation.revise(unknown.utterance, unknown.evidence)).toEqual([]);
    expect(conversation.save()).toEqual(saved);
  });

  it('does not make an utterance final, and leaves the window as long as it was.', async () => {
    const dialogue = randomDialogue(6, ['Ann', 'Ben', 'Ann'], [['text']]);
    const conversation = model.open();
    await addAll(conversation, dialogue);
    const { utterance, evidence } = dialogue[0] as Spoken;
    const answer = await conversation.revise(utterance, evidence);
    expect(answer.map(({ lookAhead, isFinal }) => [lookAhead, isFinal])).toEqual([
      [2, false],
      [1, false],
      [0, false],
    ]);
  });

  it('stays bounded when one utterance is given to ever new speakers.', async () => {
    const conversation = model.open();
    const { utterance, evidence } = randomSpoken(createRandom(1), 0, 'Ann', ['prosody']);
    await conversation.add(utterance, evidence);
    for (let i = 0; i < MAX_SPEAKERS + 40; i++)
      await conversation.revise({ ...utterance, speaker: { id: `s${i}`, name: `s${i}`, source: 'rttm' } }, evidence);
    const resumed = model.open(conversation.save());
    expect(resumed.save()).toEqual(conversation.save());
  });
});
