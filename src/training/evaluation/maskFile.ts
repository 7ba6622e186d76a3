import { createHash } from 'node:crypto';
import { z } from 'zod';
import { MODALITIES, type Modality } from '../../domain/modality.ts';
import { type Hidden, MISSING_RATES, type RateMasks } from './hiddenModalities.ts';
import type { EvaluatedSplit } from './split.ts';

const Stored = z.object({
  format: z.literal(1),
  seed: z.number().int().nonnegative(),
  fits: z.string(),
  modalities: z.array(z.string()),
  rates: z.record(z.string(), z.array(z.string().regex(/^[0-9a-f]*$/))),
});

/**
 * Writes masks as JSON: per rate and dialogue one hexadecimal digit per utterance, in which bit i is set where
 * MODALITIES[i] is hidden; and a fingerprint of the split they belong to.
 */
export function encodeMasks(split: EvaluatedSplit, shown: readonly Modality[], { seed, rates }: RateMasks): string {
  const digit = (hidden: ReadonlySet<Modality>): string =>
    MODALITIES.reduce((bits, modality, i) => bits | (hidden.has(modality) ? 1 << i : 0), 0).toString(16);
  const stored: z.infer<typeof Stored> = {
    format: 1,
    seed,
    fits: fingerprintOf(split, shown),
    modalities: [...MODALITIES],
    rates: Object.fromEntries(
      [...rates].map(([rate, hidden]) => [rate.toFixed(1), hidden.map((dialogue) => dialogue.map(digit).join(''))]),
    ),
  };
  return `${JSON.stringify(stored, null, 1)}\n`;
}

/** Reads masks that {@link encodeMasks} wrote; nothing when they are damaged or belong to another split, modalities or rates. */
export function parseMasks(text: string, split: EvaluatedSplit, shown: readonly Modality[]): RateMasks | undefined {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    return undefined;
  }
  const parsed = Stored.safeParse(json);
  if (!parsed.success || parsed.data.fits !== fingerprintOf(split, shown)) return undefined;
  if (parsed.data.modalities.join() !== MODALITIES.join()) return undefined;
  const rates = new Map<number, Hidden>();
  for (const rate of MISSING_RATES) {
    const digits = parsed.data.rates[rate.toFixed(1)];
    if (!digits || !fits(digits, split, shown)) return undefined;
    rates.set(
      rate,
      digits.map((dialogue) => [...dialogue].map(toHidden)),
    );
  }
  return { seed: parsed.data.seed, rates };
}

/** One digit for each utterance, which hides only what is there and counts, and never all of it. */
function fits(digits: readonly string[], split: EvaluatedSplit, shown: readonly Modality[]): boolean {
  return (
    digits.length === split.dialogues.length &&
    split.dialogues.every(({ utterances }, d) => {
      const own = digits[d] as string;
      return (
        own.length === utterances.length &&
        utterances.every(({ present }, u) => {
          const there = present.filter((m) => shown.includes(m));
          const hidden = toHidden(own[u] as string);
          return [...hidden].every((m) => there.includes(m)) && (hidden.size < there.length || hidden.size === 0);
        })
      );
    })
  );
}

function toHidden(digit: string): ReadonlySet<Modality> {
  const bits = Number.parseInt(digit, 16);
  return new Set(MODALITIES.filter((_, i) => (bits >> i) & 1));
}

function fingerprintOf({ dataset, split, dialogues }: EvaluatedSplit, shown: readonly Modality[]): string {
  const what = dialogues.map(({ id, utterances }) => [id, utterances.map(({ id: own, present }) => [own, present])]);
  return createHash('sha256')
    .update(JSON.stringify([dataset, split, MODALITIES.filter((m) => shown.includes(m)), what]))
    .digest('hex')
    .slice(0, 32);
}
