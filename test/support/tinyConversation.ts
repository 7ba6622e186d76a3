import { type Modality, perModality } from '../../src/domain/modality.ts';
import { speakerFromName } from '../../src/domain/speaker.ts';
import type { Prediction, Utterance, UtteranceEvidence } from '../../src/domain/utterance.ts';
import type { SavableConversation } from '../../src/model/conversation.ts';
import { createRandom, type Random } from '../../src/model/random.ts';
import { randomRow } from './tinyModel.ts';

/** One utterance and what the model is given of it. */
export type Spoken = { readonly utterance: Utterance; readonly evidence: UtteranceEvidence };

/** Builds an utterance number `i`; what is given is available in full, everything else is absent. */
export function spoken(
  i: number,
  speaker: string,
  given: { readonly text?: string; readonly prosody?: Float32Array; readonly segments?: Float32Array },
): Spoken {
  const isThere: Record<Modality, boolean> = {
    text: given.text !== undefined,
    audio: given.prosody !== undefined || given.segments !== undefined,
    face: false,
    body: false,
  };
  return {
    utterance: { id: `u${i}`, speaker: speakerFromName(speaker, 'track'), startMs: 1000 * i, endMs: 1000 * i + 900 },
    evidence: { ...given, availability: perModality((modality) => ({ share: isThere[modality] ? 1 : 0 })) },
  };
}

const WORDS = ['no', 'yes', 'really', '!', 'fine', 'unheard-of', '?'];

/** Prosody and segments of the tiny model's sizes (8, and rows of 4). */
export function randomSpoken(random: Random, i: number, speaker: string, inputs: readonly string[]): Spoken {
  const words = Array.from({ length: 1 + Math.floor(5 * random()) }, () => WORDS[Math.floor(7 * random())]);
  return spoken(i, speaker, {
    ...(inputs.includes('text') ? { text: words.join(' ') } : {}),
    ...(inputs.includes('prosody') ? { prosody: Float32Array.from(randomRow(random, 8)) } : {}),
    ...(inputs.includes('segments')
      ? { segments: Float32Array.from(randomRow(random, 4 * (1 + Math.floor(6 * random())))) }
      : {}),
  });
}

/** A dialogue of `speakers.length` utterances in which each has the inputs of the same index, cyclically. */
export function randomDialogue(
  seed: number,
  speakers: readonly string[],
  inputs: readonly (readonly string[])[],
): Spoken[] {
  const random = createRandom(seed);
  return speakers.map((speaker, i) => randomSpoken(random, i, speaker, inputs[i % inputs.length] ?? []));
}

/** Adds a whole dialogue and returns every answer, in order. */
export async function addAll(
  conversation: SavableConversation,
  dialogue: readonly Spoken[],
): Promise<(readonly Prediction[])[]> {
  const answers: (readonly Prediction[])[] = [];
  for (const { utterance, evidence } of dialogue) answers.push(await conversation.add(utterance, evidence));
  return answers;
}
