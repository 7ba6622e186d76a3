import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { type Modality, perModality } from '../../src/domain/modality.ts';
import { speakerFromName } from '../../src/domain/speaker.ts';
import { isUndertoneError } from '../../src/errors.ts';
import { startBackend } from '../../src/model/backend.ts';
import { DEFAULT_SHAPE, type InputSpec, type ModelConfig } from '../../src/model/config.ts';
import { createEmotionModel, type EmotionModel } from '../../src/model/conversation.ts';
import { MAX_SPEAKERS } from '../../src/model/incrementalContext.ts';
import { addAll, randomDialogue } from '../support/tinyConversation.ts';
import { TINY, tinyWeights } from '../support/tinyModel.ts';

let model: EmotionModel;
beforeAll(async () => {
  await startBackend('cpu');
  model = createEmotionModel(tinyWeights());
});
afterAll(() => model.dispose());

const INPUTS = [['text', 'prosody'], [], ['segments', 'prosody'], ['text']];

/** The code of what `open` throws; undefined when it accepts the bytes. */
function codeOf(blob: Uint8Array, of: EmotionModel = model): string | undefined {
  try {
    of.open(blob);
    return undefined;
  } catch (error) {
    return isUndertoneError(error) ? error.code : String(error);
  }
}

async function savedBlob(utterances = 5): Promise<Uint8Array> {
  const conversation = model.open();
  const speakers = Array.from({ length: utterances }, (_, i) => (i % 2 === 0 ? 'Ann' : 'Ben'));
  await addAll(conversation, randomDialogue(1, speakers, INPUTS));
  return conversation.save();
}

describe('save and open', () => {
  it('resume to the bit, from every point of a dialogue.', async () => {
    const speakers = fc.array(fc.constantFrom('Ann', 'Ben', '7', '3', '__proto__'), { minLength: 1, maxLength: 8 });
    await fc.assert(
      fc.asyncProperty(speakers, fc.nat(), async (names, seed) => {
        const dialogue = randomDialogue(seed, names, INPUTS);
        const uncut = await addAll(model.open(), dialogue);
        let conversation = model.open();
        for (const [i, said] of dialogue.entries()) {
          conversation = model.open(conversation.save());
          expect(await conversation.add(said.utterance, said.evidence)).toEqual(uncut[i]);
        }
      }),
      { numRuns: 20 },
    );
  });

  it('resume to the bit in the middle of revisions and at the end.', async () => {
    const dialogue = randomDialogue(2, ['Ann', 'Ben', 'Ann', 'Ben'], INPUTS);
    const conversation = model.open();
    await addAll(conversation, dialogue);
    const resumed = model.open(conversation.save());
    for (const { utterance, evidence } of randomDialogue(3, ['Ann', 'Ann', 'Ben', 'Ann'], INPUTS))
      expect(await resumed.revise(utterance, evidence)).toEqual(await conversation.revise(utterance, evidence));
    expect(await resumed.finish()).toEqual(await conversation.finish());
    expect(resumed.save()).toEqual(conversation.save());
  });

  it('give the bytes back that were opened, from a view into a larger buffer too.', async () => {
    const blob = await savedBlob();
    const larger = new Uint8Array(blob.length + 13);
    larger.set(blob, 7);
    expect(model.open(larger.subarray(7, 7 + blob.length)).save()).toEqual(blob);
  });

  it('remember who was heard last among more speakers than are kept, whatever their names.', async () => {
    const names = Array.from({ length: MAX_SPEAKERS + 6 }, (_, i) => String((i * 37) % 70));
    const conversation = model.open();
    await addAll(conversation, randomDialogue(4, names, [['prosody']]));
    const resumed = model.open(conversation.save());
    const next = randomDialogue(5, ['900', '901', names[5] ?? '', names[6] ?? '', names[7] ?? ''], [['prosody']]);
    expect(await addAll(resumed, next)).toEqual(await addAll(conversation, next));
  });

  it('need under 64 KiB for four speakers at the size that ships.', async () => {
    const text = TINY.inputs.find((input) => input.name === 'text');
    const prosody = TINY.inputs.find((input) => input.name === 'prosody');
    if (!text || !prosody) throw new TypeError('the tiny model must have text and prosody');
    const { labels, prior, vocabulary } = TINY;
    const config: ModelConfig = { ...DEFAULT_SHAPE, labels, prior, vocabulary, inputs: [text, prosody] };
    const large = createEmotionModel(tinyWeights(config));
    const conversation = large.open();
    const names = Array.from({ length: 12 }, (_, i) => `Speaker number ${i % 4}`);
    await addAll(conversation, randomDialogue(6, names, [['text', 'prosody']]));
    const { length } = conversation.save();
    large.dispose();
    expect(length).toBeLessThan(64 * 1024);
    expect(length).toBeGreaterThan(8 * 3 * 128 * 4); // the window alone
  });
});

describe('save', () => {
  it('needs under 64 KiB for four speakers with every signal relative to the speaker, at the sizes of face and body.', async () => {
    const spec = (name: string, modality: Modality, kind: InputSpec['kind'], dim: number): InputSpec => ({
      ...{ name, modality, kind, dim, tokens: 8, speakerRelative: true },
    });
    const inputs = [
      spec('prosody', 'audio', 'vector', 8),
      spec('face', 'face', 'sequence', 52),
      spec('body', 'body', 'sequence', 28),
    ];
    const { labels, prior } = TINY;
    const large = createEmotionModel(tinyWeights({ ...DEFAULT_SHAPE, labels, prior, vocabulary: [], inputs }));
    const conversation = large.open();
    const there = { share: 1 };
    for (let i = 0; i < 12; i++) {
      const [prosody, face, body] = [8, 520, 280].map((n) =>
        Float32Array.from({ length: n }, (_, k) => Math.sin(k + i)),
      );
      const evidence = { prosody: prosody!, face: face!, body: body!, availability: perModality(() => there) };
      const speaker = speakerFromName(`Speaker number ${i % 4}`, 'track');
      await conversation.add({ id: `utterance ${i}`, speaker, startMs: 0, endMs: 1 }, evidence);
    }
    const blob = conversation.save();
    expect(blob.length).toBeLessThan(64 * 1024);
    expect(large.open(blob).save()).toEqual(blob);
    large.dispose();
  });
});

describe('open', () => {
  it('refuses a state that was cut off at any byte.', async () => {
    const blob = await savedBlob(3);
    for (let length = 0; length < blob.length; length += length < 64 ? 1 : 37)
      expect([length, codeOf(blob.subarray(0, length))]).toEqual([length, 'BAD_STATE']);
    expect(codeOf(blob.subarray(0, blob.length - 1))).toBe('BAD_STATE');
  });

  it('refuses a state in which any one bit is flipped.', async () => {
    const blob = await savedBlob(3);
    fc.assert(
      fc.property(fc.nat(blob.length - 1), fc.nat(7), (at, bit) => {
        const damaged = blob.slice();
        damaged[at] = (damaged[at] ?? 0) ^ (1 << bit);
        expect(codeOf(damaged)).toBe('BAD_STATE');
      }),
    );
  });

  it('refuses a state with bytes after its end, or larger than any state.', async () => {
    const blob = await savedBlob(3);
    expect(codeOf(Uint8Array.from([...blob, 0]))).toBe('BAD_STATE');
    const huge = new Uint8Array(4 * 1024 * 1024 + 1);
    huge.set(blob);
    expect(codeOf(huge)).toBe('BAD_STATE');
  });

  it('refuses a state of other weights, of another shape or only of another seed.', async () => {
    const blob = await savedBlob();
    const others = [
      tinyWeights(TINY, 2),
      tinyWeights({ ...TINY, contextHidden: 12 }),
      tinyWeights({ ...TINY, width: 8 }),
    ];
    for (const weights of others) {
      const other = createEmotionModel(weights);
      expect(codeOf(blob, other)).toBe('BAD_STATE');
      other.dispose();
    }
    const same = createEmotionModel(tinyWeights());
    expect(codeOf(blob, same)).toBeUndefined();
    same.dispose();
  });

  it('refuses a state of the same weights with a longer window than it keeps itself.', async () => {
    const wide = createEmotionModel(tinyWeights({ ...TINY, lookAhead: 8 }));
    const conversation = wide.open();
    const dialogue = randomDialogue(1, ['Ann', 'Ben', 'Ann', 'Ben'], [['text']]);
    await addAll(conversation, dialogue.slice(0, 3));
    expect(codeOf(conversation.save())).toBeUndefined();
    await addAll(conversation, dialogue.slice(3));
    expect(codeOf(conversation.save())).toBe('BAD_STATE');
    wide.dispose();
  });

  it('is total: any bytes at all are refused with BAD_STATE.', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
        expect(codeOf(bytes)).toBe('BAD_STATE');
      }),
    );
  });
});
