import type { ModelInput } from '../domain/conversationModel.ts';
import { perModality, type Availability } from '../domain/modality.ts';
import type { UtteranceEvidence } from '../domain/utterance.ts';
import type { Heard } from './audioEvidence.ts';
import type { UtteranceRecord } from './signal.ts';
import type { Visual } from './sight.ts';
import type { Seen } from './visualEvidence.ts';

/** What pictures show of an utterance. */
export type Sights = Readonly<Record<Visual, Seen>>;
/** What was measured of an utterance, kept because it may come again with other words. */
export type Measured = { readonly record: UtteranceRecord; readonly heard: Heard; readonly seen: Sights };

/** What a model is given. `movement` sums up body rows at 10 Hz. */
export type EvidenceInputs = {
  readonly inputs: ReadonlySet<ModelInput>;
  readonly movement?: ((rows: Float32Array) => Float32Array | undefined) | undefined;
};

/** Returns what a model is told of an utterance that was measured, of whose words so much is there. */
export function toEvidence(
  { record, heard, seen }: Measured,
  text: Availability,
  { inputs, movement }: EvidenceInputs,
): UtteranceEvidence {
  const { availability: audio, ...sound } = heard;
  const moved = inputs.has('movement') && seen.body.all ? movement?.(seen.body.all) : undefined;
  const of = { text, audio, face: seen.face.availability, body: seen.body.availability };
  return {
    ...(text.share > 0 && record.text !== null && { text: record.text }),
    ...sound,
    ...(inputs.has('face') && seen.face.rows && { face: seen.face.rows }),
    ...(inputs.has('body') && seen.body.rows && { body: seen.body.rows }),
    ...(moved && { vectors: { movement: moved } }),
    availability: perModality((modality) => of[modality]),
  };
}
