import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { MODALITIES, type Modality, perModality } from '../../../src/domain/modality.ts';
import { encodeMasks, parseMasks } from '../../../src/training/evaluation/maskFile.ts';
import {
  drawRateMasks,
  hiddenShare,
  hideAllBut,
  MISSING_RATES,
  shuffleSpeakers,
  subsetsOf,
} from '../../../src/training/evaluation/hiddenModalities.ts';
import type { EvaluatedSplit } from '../../../src/training/evaluation/split.ts';

const splitOf = (present: readonly (readonly Modality[])[][], name = 'set'): EvaluatedSplit => ({
  dataset: name,
  split: 'dev',
  labels: ['a', 'b'],
  modalities: MODALITIES,
  sources: {},
  dialogues: present.map((utterances, d) => ({
    id: `d${d}`,
    utterances: utterances.map((own, u) => ({
      id: `${d}/${u}`,
      speaker: ['Ann', 'Ben', 'Cy'][u % 3]!,
      truth: 0,
      present: own,
      evidence: { availability: perModality((m) => ({ share: own.includes(m) ? 1 : 0 })) },
    })),
  })),
});
const PRESENT = fc.array(fc.array(fc.subarray([...MODALITIES]), { maxLength: 6 }), { minLength: 1, maxLength: 5 });
const LARGE = splitOf(Array.from({ length: 40 }, () => Array.from({ length: 30 }, () => [...MODALITIES])));

describe('subsetsOf', () => {
  it('gives every non-empty subset once, the whole first and singles last.', () => {
    expect(subsetsOf(['text', 'audio'])).toEqual([['text', 'audio'], ['text'], ['audio']]);
    const all = subsetsOf(MODALITIES);
    expect(new Set(all.map((subset) => subset.join())).size).toBe(15);
    expect(all[0]).toEqual(MODALITIES);
    expect(all.slice(-4)).toEqual([['text'], ['audio'], ['face'], ['body']]);
    expect(subsetsOf([])).toEqual([]);
  });
});

describe('hideAllBut', () => {
  it('hides the same of every utterance.', () => {
    const split = splitOf([[['text'], ['audio']], [[]]]);
    const hidden = new Set(['audio', 'face', 'body']);
    expect(hideAllBut(split, ['text'])).toEqual([[hidden, hidden], [hidden]]);
  });
});

describe('drawRateMasks', () => {
  it('never hides what is not there, nor everything, and hides more at each higher rate.', () => {
    fc.assert(
      fc.property(PRESENT, fc.subarray([...MODALITIES]), fc.nat(), (present, shown, seed) => {
        const { rates } = drawRateMasks(splitOf(present), shown, seed);
        expect([...rates.keys()]).toEqual(MISSING_RATES);
        present.forEach((dialogue, d) =>
          dialogue.forEach((own, u) => {
            const there = own.filter((m) => shown.includes(m));
            let before: ReadonlySet<Modality> = new Set();
            for (const rate of MISSING_RATES) {
              const hidden = rates.get(rate)![d]![u]!;
              expect([...hidden].every((m) => there.includes(m))).toBe(true);
              expect(hidden.size < there.length || there.length === 0).toBe(true);
              expect([...before].every((m) => hidden.has(m))).toBe(true);
              before = hidden;
            }
          }),
        );
      }),
    );
  });

  it('hides about as often as the rate says, less what every utterance keeps.', () => {
    const { rates } = drawRateMasks(LARGE, MODALITIES, 1);
    for (const rate of MISSING_RATES) {
      // Of four modalities, all four would go with chance rate⁴, and then one of them stays. ±4 standard errors.
      const expected = rate - rate ** 4 / 4;
      const error = 4 * Math.sqrt((rate * (1 - rate)) / 4800);
      expect(Math.abs(hiddenShare(LARGE, MODALITIES, rates.get(rate)!) - expected)).toBeLessThan(error);
    }
  });

  it('is drawn from the seed and the dialogue: others leave it as it is.', () => {
    const [first, second] = [drawRateMasks(LARGE, MODALITIES, 1), drawRateMasks(LARGE, MODALITIES, 2)];
    expect(drawRateMasks(LARGE, MODALITIES, 1)).toEqual(first);
    expect(second.rates).not.toEqual(first.rates);
    const fewer = { ...LARGE, dialogues: LARGE.dialogues.slice(7, 9) };
    expect(drawRateMasks(fewer, MODALITIES, 1).rates.get(0.5)).toEqual(first.rates.get(0.5)!.slice(7, 9));
  });
});

describe('encodeMasks and parseMasks', () => {
  it('keep masks as they are.', () => {
    fc.assert(
      fc.property(PRESENT, fc.subarray([...MODALITIES]), fc.nat(), (present, shown, seed) => {
        const split = splitOf(present);
        const masks = drawRateMasks(split, shown, seed);
        expect(parseMasks(encodeMasks(split, shown, masks), split, shown)).toEqual(masks);
      }),
    );
  });

  const split = splitOf([[['text', 'audio'], ['text']], [['audio', 'face']]]);
  const text = encodeMasks(split, MODALITIES, drawRateMasks(split, MODALITIES, 1));
  const changed = (change: (rates: Record<string, string[]>) => void): string => {
    const json = JSON.parse(text) as { rates: Record<string, string[]> };
    change(json.rates);
    return JSON.stringify(json);
  };

  it('do not take masks of other utterances, another dataset or other modalities.', () => {
    expect(parseMasks(text, split, MODALITIES)).toBeDefined();
    expect(parseMasks(text, splitOf([[['text', 'audio'], ['text']], [['audio']]]), MODALITIES)).toBeUndefined();
    expect(parseMasks(text, { ...split, dataset: 'other' }, MODALITIES)).toBeUndefined();
    expect(parseMasks(text, { ...split, split: 'test' }, MODALITIES)).toBeUndefined();
    expect(parseMasks(text, split, ['text', 'audio'])).toBeUndefined();
  });

  it.each<[string, string]>([
    ['is not JSON', '{'],
    ['is something else', '[1]'],
    ['lacks a rate', changed((rates) => delete rates['0.3'])],
    ['lacks a dialogue', changed((rates) => rates['0.3']!.pop())],
    ['lacks an utterance', changed((rates) => (rates['0.3']![0] = '0'))],
    ['hides everything', changed((rates) => (rates['0.7']![0] = '30'))],
    ['hides what is not there', changed((rates) => (rates['0.7']![0] = '80'))],
    ['has a digit that is none', changed((rates) => (rates['0.7']![0] = 'x0'))],
  ])('do not take a file that %s.', (_, file) => {
    expect(parseMasks(file, split, MODALITIES)).toBeUndefined();
  });
});

describe('shuffleSpeakers', () => {
  it('permutes who speaks within each dialogue, the same way for the same seed.', () => {
    const shuffled = shuffleSpeakers(LARGE.dialogues, 1);
    expect(shuffled).toEqual(shuffleSpeakers(LARGE.dialogues, 1));
    expect(shuffled).not.toEqual(shuffleSpeakers(LARGE.dialogues, 2));
    LARGE.dialogues.forEach(({ utterances }, d) => {
      const own = utterances.map(({ speaker }) => speaker);
      expect(shuffled[d]!.toSorted()).toEqual(own.toSorted());
      expect(shuffled[d]).not.toEqual(own);
    });
  });
});
