import type { Modality } from '../domain/modality.ts';
import type { ModelConfig } from '../model/config.ts';
import { type Random, shuffle } from '../model/random.ts';
import type { PreparedDialogue, PreparedUtterance } from './prepare.ts';

/** Utterances that lend one modality to others of the same label, by donor speaker and label. */
export type Donors = {
  readonly modality: Modality;
  readonly speakers: readonly ReadonlyMap<number, readonly PreparedUtterance[]>[];
};

/** Sorts prepared dialogues into donors. Speakers are told apart by name. */
export function createDonors(modality: Modality, dialogues: readonly PreparedDialogue[]): Donors {
  const speakers = new Map<string, Map<number, PreparedUtterance[]>>();
  for (const { utterances } of dialogues)
    for (const utterance of utterances) {
      if (utterance.label === undefined) continue;
      const own = speakers.get(utterance.speaker) ?? new Map<number, PreparedUtterance[]>();
      speakers.set(utterance.speaker, own);
      own.set(utterance.label, [...(own.get(utterance.label) ?? []), utterance]);
    }
  return { modality, speakers: [...speakers.values()] };
}

/**
 * Lends a dialogue voices, faces or bodies of other corpora: each speaker gets one donor speaker per modality, and each
 * labelled utterance the rows of one of the donor's utterances, in place of its own, with their alternatives. With the
 * chance `agreement` that utterance has the same label, else it is any of the donor's: real faces and voices often do not
 * show what the words say, and a network that has only seen them agree trusts them blindly. A donor without the label
 * lends nothing. For training only: nobody said this in that voice.
 * Source: METHOD.md section 6, "corpora that lack modes"; `agreement` is our decision.
 */
export function lendModalities(
  model: ModelConfig,
  dialogue: PreparedDialogue,
  donors: readonly Donors[],
  { random, agreement = 1 }: { readonly random: Random; readonly agreement?: number },
): PreparedDialogue {
  const speakers = [...new Set(dialogue.utterances.map(({ speaker }) => speaker))];
  const lenders = donors.map(({ modality, speakers: from }) => {
    const order = shuffle(
      Array.from(from, (_, i) => i),
      random,
    );
    return { modality, of: new Map(speakers.map((speaker, i) => [speaker, from[order[i % order.length] as number]])) };
  });
  const choose = (donor: Donors['speakers'][number] | undefined, label: number): PreparedUtterance | undefined => {
    if (agreement < 1 && random() >= agreement) return chooseAny(donor, random);
    const choice = donor?.get(label);
    return choice?.[Math.floor(random() * choice.length)];
  };
  return {
    id: dialogue.id,
    utterances: dialogue.utterances.map((utterance) => {
      const rows = new Map(utterance.rows);
      const alternatives = new Map(utterance.alternatives);
      for (const { modality, of } of lenders) {
        const lent = utterance.label === undefined ? undefined : choose(of.get(utterance.speaker), utterance.label);
        for (const { name, modality: own } of model.inputs) {
          const values = own === modality ? lent?.rows.get(name) : undefined;
          if (!values) continue;
          rows.set(name, values);
          const others = lent?.alternatives?.get(name);
          if (others) alternatives.set(name, others);
          else alternatives.delete(name);
        }
      }
      return { ...utterance, rows, alternatives };
    }),
  };
}

/** Any utterance of a donor, each with the same chance. */
function chooseAny(donor: Donors['speakers'][number] | undefined, random: Random): PreparedUtterance | undefined {
  const lists = [...(donor?.values() ?? [])];
  let at = Math.floor(random() * lists.reduce((sum, { length }) => sum + length, 0));
  for (const list of lists) {
    if (at < list.length) return list[at];
    at -= list.length;
  }
  return undefined;
}
