import type { Modality } from '../domain/modality.ts';
import type { InputSpec, ModelConfig } from '../model/config.ts';
import { newStatistics, relativeTo, type SpeakerStatistics, withUtterance } from '../model/normalisation.ts';
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

/** How voices, faces and bodies are lent; both chances are in [0, 1]. */
export type Lending = {
  readonly random: Random;
  /** Chance that what is lent has the label of the utterance; 1 unless told. */
  readonly agreement?: number;
  /** Chance that a speaker shows the same all the time; 0 unless told. */
  readonly rest?: number;
};

/**
 * Lends a dialogue voices, faces and bodies of other corpora: each speaker gets one donor speaker per modality, and each
 * labelled utterance the rows of one of the donor's utterances, in place of its own, with their alternatives. With the
 * chance `agreement` that utterance has the same label, else it is any of the donor's: real faces and voices often do not
 * show what the words say, and a network that has only seen them agree trusts them blindly. With the chance `rest` a speaker
 * gets one and the same utterance throughout, as of a face at rest, which says nothing whatever it looks like. What stands
 * relative to the speaker is made anew, from all that this speaker was lent before. A donor without the label lends nothing.
 * For training only: nobody said this in that voice.
 * Source: METHOD.md section 6, "corpora that lack modes"; `agreement` and `rest` are our decision.
 */
export function lendModalities(
  model: ModelConfig,
  dialogue: PreparedDialogue,
  donors: readonly Donors[],
  lending: Lending,
): PreparedDialogue {
  const speakers = [...new Set(dialogue.utterances.map(({ speaker }) => speaker))];
  const lenders = donors.map(({ modality, speakers: from }) => {
    const order = shuffle(
      Array.from(from, (_, i) => i),
      lending.random,
    );
    const lenderOf = (i: number): Lender => createLender(from[order[i % order.length] as number], lending);
    return { modality, of: new Map(speakers.map((speaker, i) => [speaker, lenderOf(i)])) };
  });
  const known: Known = new Map();
  return {
    id: dialogue.id,
    utterances: dialogue.utterances.map((utterance) => {
      let changed = utterance;
      for (const { modality, of } of lenders) {
        const lent = utterance.label === undefined ? undefined : of.get(utterance.speaker)?.(utterance.label);
        const inputs = model.inputs.filter((input) => input.modality === modality);
        if (lent) changed = withRowsOf(changed, lent, inputs, known);
      }
      return changed;
    }),
  };
}

/** What one speaker is lent for an utterance with a label. */
type Lender = (label: number) => PreparedUtterance | undefined;

function createLender(
  donor: Donors['speakers'][number] | undefined,
  { random, agreement = 1, rest = 0 }: Lending,
): Lender {
  const still = rest > 0 && random() < rest ? chooseAny(donor, random) : undefined;
  return (label) => {
    if (still) return still;
    if (agreement < 1 && random() >= agreement) return chooseAny(donor, random);
    const choice = donor?.get(label);
    return choice?.[Math.floor(random() * choice.length)];
  };
}

/** Statistics of what speakers were lent, by speaker and input. */
type Known = Map<string, SpeakerStatistics>;

function withRowsOf(
  utterance: PreparedUtterance,
  lent: PreparedUtterance,
  inputs: readonly InputSpec[],
  known: Known,
): PreparedUtterance {
  const rows = new Map(utterance.rows);
  const alternatives = new Map(utterance.alternatives);
  for (const input of inputs) {
    const values = lent.rows.get(input.name);
    if (!values) continue;
    const key = `${utterance.speaker}\u0000${input.name}`;
    const speaker = known.get(key) ?? newStatistics(input.dim);
    const own = relativeTo(input, values, speaker);
    if (input.speakerRelative) known.set(key, withUtterance(input, own, speaker));
    rows.set(input.name, own);
    const others = lent.alternatives?.get(input.name);
    if (others) alternatives.set(input.name, relativeTo(input, others, speaker));
    else alternatives.delete(input.name);
  }
  return { ...utterance, rows, alternatives };
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
