import { MODALITIES, type Modality } from '../../domain/modality.ts';
import { createRandom, deriveSeed, shuffle } from '../../model/random.ts';
import type { EvaluatedDialogue, EvaluatedSplit } from './split.ts';

/** For each dialogue and utterance of a split, the modalities that are hidden. */
export type Hidden = readonly (readonly ReadonlySet<Modality>[])[];

/** Masks of a split at each missing rate, drawn once. */
export type RateMasks = { readonly seed: number; readonly rates: ReadonlyMap<number, Hidden> };

/** The missing rates that are measured; 0 hides nothing and needs no mask. Source: METHOD.md section 7. */
export const MISSING_RATES: readonly number[] = [0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7];

/** The seed that masks and shuffled speakers are drawn from; it is stored with the masks. */
export const EVALUATION_SEED = 1;

/** All non-empty subsets of modalities, the largest first, those of a size in the order of MODALITIES. */
export function subsetsOf(modalities: readonly Modality[]): Modality[][] {
  const count = 2 ** modalities.length - 1;
  return Array.from({ length: count }, (_, i) =>
    modalities.filter((_, bit) => ((count - i) >> (modalities.length - 1 - bit)) & 1),
  ).sort((a, b) => b.length - a.length);
}

/** Hides, everywhere, the modalities that are not kept. */
export function hideAllBut(split: EvaluatedSplit, kept: readonly Modality[]): Hidden {
  const hidden = new Set(MODALITIES.filter((modality) => !kept.includes(modality)));
  return split.dialogues.map(({ utterances }) => utterances.map(() => hidden));
}

/**
 * Draws masks for {@link MISSING_RATES}: at rate r every modality that an utterance has is hidden with chance r,
 * independently. One number is drawn for each, and it is hidden where that number is below r; so what is hidden at one
 * rate is hidden at all higher ones. An utterance that would lose everything keeps the one with the highest number.
 * @param shown modalities that count; an utterance with none of them is left as it is
 */
export function drawRateMasks(split: EvaluatedSplit, shown: readonly Modality[], seed: number): RateMasks {
  const drawn = split.dialogues.map(({ id, utterances }) => {
    const random = createRandom(deriveSeed(seed, 'missing', id));
    return utterances.map(({ present }) => {
      const numbers = MODALITIES.map(() => random());
      const own = present.filter((m) => shown.includes(m));
      return new Map(own.map((m) => [m, numbers[MODALITIES.indexOf(m)] as number]));
    });
  });
  return {
    seed,
    rates: new Map(MISSING_RATES.map((rate) => [rate, drawn.map((dialogue) => dialogue.map((u) => below(u, rate)))])),
  };
}

function below(numbers: ReadonlyMap<Modality, number>, rate: number): ReadonlySet<Modality> {
  const hidden = new Set([...numbers].filter(([, number]) => number < rate).map(([modality]) => modality));
  if (hidden.size < numbers.size || hidden.size === 0) return hidden;
  const [last] = [...numbers].sort((a, b) => b[1] - a[1])[0] as [Modality, number];
  hidden.delete(last);
  return hidden;
}

/** Share of the modalities that utterances have and that count which is hidden, in [0, 1]. */
export function hiddenShare(split: EvaluatedSplit, shown: readonly Modality[], hidden: Hidden): number {
  let there = 0;
  let lost = 0;
  split.dialogues.forEach(({ utterances }, d) =>
    utterances.forEach(({ present }, u) => {
      const own = present.filter((m) => shown.includes(m));
      there += own.length;
      lost += own.filter((m) => hidden[d]?.[u]?.has(m)).length;
    }),
  );
  return lost / Math.max(1, there);
}

/** Speakers of each dialogue's utterances, the labels permuted at random within the dialogue. */
export function shuffleSpeakers(dialogues: readonly EvaluatedDialogue[], seed: number): string[][] {
  return dialogues.map(({ id, utterances }) =>
    shuffle(
      utterances.map(({ speaker }) => speaker),
      createRandom(deriveSeed(seed, 'speakers', id)),
    ),
  );
}
