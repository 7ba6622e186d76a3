import { MODALITIES, type Modality } from '../domain/modality.ts';
import type { ModelConfig } from '../model/config.ts';
import type { Random } from '../model/random.ts';
import type { PreparedDialogue, PreparedUtterance } from './prepare.ts';
import type { TrainConfig } from './trainConfig.ts';

/** For each utterance of a dialogue, the modalities that the network is shown. */
export type Shown = readonly ReadonlySet<Modality>[];

/** The modalities that an utterance really has. */
export function presentModalities(model: ModelConfig, utterance: PreparedUtterance): Set<Modality> {
  return new Set(
    model.inputs.flatMap((input) =>
      (input.kind === 'tokens' ? utterance.tokens.length > 0 : utterance.rows.has(input.name)) ? [input.modality] : [],
    ),
  );
}

/** Everything that is there is shown. */
export function showAll(model: ModelConfig, dialogue: PreparedDialogue): Shown {
  return dialogue.utterances.map((utterance) => presentModalities(model, utterance));
}

/**
 * Hides modalities as a live call loses them: (a) each with a fixed chance per utterance, (b) outages by a two-state Markov
 * chain per stream over the dialogue, (c) whole dialogues with a random subset. An utterance never loses everything.
 * Source: METHOD.md section 6.
 */
export function drawMasks(
  model: ModelConfig,
  dialogue: PreparedDialogue,
  masks: TrainConfig['masks'],
  random: Random,
): Shown {
  const down = new Map<Modality, boolean>(MODALITIES.map((m) => [m, random() < stationary(masks)]));
  const subset = random() < masks.subset ? new Set(MODALITIES.filter(() => random() < 0.5)) : new Set(MODALITIES);
  return dialogue.utterances.map((utterance) => {
    const present = presentModalities(model, utterance);
    const kept = new Set<Modality>();
    for (const modality of MODALITIES) {
      const isDown = down.get(modality) ?? false;
      down.set(modality, isDown ? random() >= masks.outageReturn : random() < masks.outageDrop);
      const survives = random() >= masks.bernoulli;
      if (present.has(modality) && subset.has(modality) && !isDown && survives) kept.add(modality);
    }
    if (kept.size > 0 || present.size === 0) return kept;
    return new Set([[...present][Math.floor(random() * present.size)] as Modality]);
  });
}

/** Long-run share of time that a stream is down. */
function stationary(masks: TrainConfig['masks']): number {
  const total = masks.outageDrop + masks.outageReturn;
  return total > 0 ? masks.outageDrop / total : 0;
}
