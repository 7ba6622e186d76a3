import type { Availability } from '../domain/modality.ts';
import { createOutages } from './outages.ts';
import type { Signal, UtteranceRecord } from './signal.ts';
import { isSameSpeaker, type Streams } from './streams.ts';

/** How much of the words of an utterance is there. */
export type TextEvidence = {
  observe(signal: Signal): void;
  /** All of it or nothing, and why: another language, a text stream that was out, or no captions at all. */
  measure(record: UtteranceRecord): Availability;
};

/** Returns the text evidence of a session. @param streams Those of the session, which the caller keeps up to date. */
export function createTextEvidence(streams: Streams): TextEvidence {
  const outages = createOutages();
  return {
    observe: (signal) => outages.observe(signal),
    measure: ({ text, language, utterance }) => {
      if (language !== undefined) return { share: 0, reason: 'language' };
      if (text !== null) return { share: 1 };
      const { speaker } = utterance;
      const outs = [...streams.all()]
        .filter((stream) => stream.kind === 'captions' && (!stream.speaker || isSameSpeaker(stream.speaker, speaker)))
        .flatMap((stream) => outages.within(stream.streamId, utterance));
      return { share: 0, reason: outs.find(({ reason }) => reason !== 'track_ended')?.reason ?? 'no_captions' };
    },
  };
}
