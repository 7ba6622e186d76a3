import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { MODALITIES, type Modality } from '../../src/domain/modality.ts';
import { DEFAULT_SHAPE, type InputSpec, type ModelConfig } from '../../src/model/config.ts';
import { createRandom } from '../../src/model/random.ts';
import { drawMasks, presentModalities, showAll, type Shown } from '../../src/training/masks.ts';
import type { PreparedDialogue } from '../../src/training/prepare.ts';
import type { TrainConfig } from '../../src/training/trainConfig.ts';

const input = (name: string, modality: Modality, kind: InputSpec['kind']): InputSpec => ({
  name,
  modality,
  kind,
  dim: kind === 'tokens' ? 0 : 1,
  tokens: 1,
  speakerRelative: false,
});
const MODEL: ModelConfig = {
  ...DEFAULT_SHAPE,
  labels: ['a', 'b'],
  prior: [0.5, 0.5],
  vocabulary: [],
  inputs: [
    input('text', 'text', 'tokens'),
    input('prosody', 'audio', 'vector'),
    input('segments', 'audio', 'sequence'),
    input('face', 'face', 'sequence'),
    input('body', 'body', 'sequence'),
  ],
};
const NAMES: Readonly<Record<Modality, string>> = { text: '', audio: 'segments', face: 'face', body: 'body' };

/** A dialogue whose utterances have the given modalities. */
function dialogueOf(having: readonly (readonly Modality[])[]): PreparedDialogue {
  const utterances = having.map((modalities, i) => ({
    id: `d/${i}`,
    speaker: 's',
    label: 0,
    tokens: modalities.includes('text') ? [{ word: 0, grams: [1] }] : [],
    rows: new Map(modalities.filter((m) => m !== 'text').map((m) => [NAMES[m], new Float32Array(1)])),
  }));
  return { id: 'd', utterances };
}
const everything = (length: number): PreparedDialogue => dialogueOf(Array.from({ length }, () => MODALITIES));

const NONE: TrainConfig['masks'] = { bernoulli: 0, outageDrop: 0, outageReturn: 0.4, subset: 0 };
const draw = (dialogue: PreparedDialogue, masks: Partial<TrainConfig['masks']>, seed = 1): Shown =>
  drawMasks(MODEL, dialogue, { ...NONE, ...masks }, createRandom(seed));
const hiddenShare = (shown: Shown, modality: Modality): number =>
  shown.filter((set) => !set.has(modality)).length / shown.length;

/** Lengths of the stretches in which a modality is hidden, without the two at the ends. */
function outagesOf(shown: Shown, modality: Modality): number[] {
  const marks = shown.map((set) => (set.has(modality) ? ' ' : 'x')).join('');
  return (marks.match(/(?<= )x+(?= )/g) ?? []).map((run) => run.length);
}

describe('presentModalities', () => {
  it('is what an utterance really has; any input of a modality makes it present.', () => {
    const some: Modality[][] = [['text', 'body'], ['audio'], []];
    expect(dialogueOf(some).utterances.map((u) => [...presentModalities(MODEL, u)])).toEqual(some);
  });

  it('is what showAll shows, utterance by utterance.', () => {
    const having: Modality[][] = [['text', 'audio'], [], ['text', 'face']];
    expect(showAll(MODEL, dialogueOf(having)).map((set) => [...set])).toEqual(having);
  });
});

describe('drawMasks', () => {
  it('shows what is there, never more, and never nothing where something is there.', () => {
    const having = fc.array(fc.subarray([...MODALITIES]), { maxLength: 12 });
    const chance = fc.double({ min: 0, max: 1, noNaN: true });
    const masks = fc.record({ bernoulli: chance, outageDrop: chance, outageReturn: chance, subset: chance });
    fc.assert(
      fc.property(having, masks, fc.nat(), (modalities, chances, seed) => {
        const shown = draw(dialogueOf(modalities), chances, seed);
        expect(shown.length).toBe(modalities.length);
        shown.forEach((set, i) => {
          for (const modality of set) expect(modalities[i]).toContain(modality);
          expect(set.size > 0).toBe(modalities[i]!.length > 0);
        });
      }),
    );
  });

  it('keeps one modality, each as often, when all would go.', () => {
    const shown = draw(everything(4000), { bernoulli: 1 });
    for (const modality of MODALITIES) expect(hiddenShare(shown, modality)).toBeCloseTo(0.75, 1);
    expect(shown.every((set) => set.size === 1)).toBe(true);
  });

  it('hides nothing when every chance is 0.', () => {
    expect(draw(everything(200), {}).every((set) => set.size === 4)).toBe(true);
  });

  it('hides each modality of each utterance at the rate configured, one without regard to the next.', () => {
    const shown = draw(everything(20_000), { bernoulli: 0.2 });
    for (const modality of MODALITIES) {
      // 20,000 draws at .2: standard deviation .0028; all four go at once in .0016, when one stays.
      expect(Math.abs(hiddenShare(shown, modality) - 0.2)).toBeLessThan(0.012);
      const runs = outagesOf(shown, modality);
      expect(Math.abs(runs.reduce((a, b) => a + b, 0) / runs.length - 1 / 0.8)).toBeLessThan(0.06);
    }
  });

  it('draws outages as runs: their mean length and their share of time are those of the chain.', () => {
    const shown = draw(everything(40_000), { outageDrop: 0.05, outageReturn: 0.25 });
    for (const modality of MODALITIES) {
      const runs = outagesOf(shown, modality);
      expect(Math.abs(runs.reduce((a, b) => a + b, 0) / runs.length - 1 / 0.25)).toBeLessThan(0.4);
      expect(Math.abs(hiddenShare(shown, modality) - 0.05 / 0.3)).toBeLessThan(0.02);
    }
  });

  it('begins a dialogue within an outage as often as a call would be found in one.', () => {
    const random = createRandom(9);
    const masks = { ...NONE, outageDrop: 0.1, outageReturn: 0.3 };
    const starts = Array.from({ length: 8000 }, () => drawMasks(MODEL, everything(1), masks, random)[0]!);
    expect(Math.abs(hiddenShare(starts, 'audio') - 0.25)).toBeLessThan(0.02);
  });

  it('takes whole modalities away from whole dialogues, from as many as configured.', () => {
    const random = createRandom(4);
    const masks = { ...NONE, subset: 0.4 };
    const dialogues = Array.from({ length: 4000 }, () => drawMasks(MODEL, everything(3), masks, random));
    // A random subset of four is whole in 1 of 16, and empty in 1 of 16: then each utterance keeps one of its own.
    const whole = dialogues.filter((shown) => shown.every((set) => set.size === 4)).length / dialogues.length;
    expect(Math.abs(whole - (0.6 + 0.4 / 16))).toBeLessThan(0.03);
    const same = (shown: Shown): boolean => shown.every((set) => [...set].join() === [...shown[0]!].join());
    expect(dialogues.filter(same).length / dialogues.length).toBeGreaterThan(1 - 0.4 / 16 - 0.01);
  });

  it('draws the same for the same seed, and something else for another.', () => {
    const masks = { bernoulli: 0.3, outageDrop: 0.1, subset: 0.5 };
    expect(draw(everything(50), masks, 3)).toEqual(draw(everything(50), masks, 3));
    expect(draw(everything(50), masks, 3)).not.toEqual(draw(everything(50), masks, 4));
  });
});
