import type { VoiceActivity } from '../../domain/observation.ts';
import { createAudioRing } from '../../operators/audioRing.ts';
import { createEndpointer, DEFAULT_ENDPOINTING, type EndpointingSettings } from '../../operators/endpointer.ts';
import type { Entry } from './unfinished.ts';

/** Lets speech through and nothing else: a recognizer that hears no silence cannot invent words in it. */
export type Gate = {
  hear(voice: VoiceActivity): readonly Entry[];
  /** The stream ended, or delivers nothing for now: whatever speech was open ends too. */
  end(): readonly Entry[];
};

/** A pause of 300 ms asks for a final, so that the words are there when 500 ms of pause end the utterance. */
export const GATE_ENDPOINTING: EndpointingSettings = { ...DEFAULT_ENDPOINTING, gapMs: 300 };
/** Sound before the first frame of speech that is let through too: words begin softly. */
const LEAD_MS = 300;
/** Sound that is held for the lead and for frames that straddle blocks. */
const HELD_MS = 10_000;
const SAMPLES_PER_MS = 16;

/** Returns the gate of one stream, closed. */
export function createGate(settings: EndpointingSettings = GATE_ENDPOINTING): Gate {
  const endpointer = createEndpointer(settings);
  const ring = createAudioRing(HELD_MS);
  let heardUntilMs = 0;
  let givenUntilMs = 0;
  let isOpen = false;
  let wantsFinal = false;

  const give = (untilMs: number): Entry[] => {
    if (untilMs <= givenUntilMs) return [];
    const startMs = Math.max(givenUntilMs, untilMs - HELD_MS);
    const samples = ring.read({ startMs, endMs: untilMs });
    givenUntilMs = untilMs;
    return samples.length === 0 ? [] : [{ type: 'sound', startMs: untilMs - samples.length / SAMPLES_PER_MS, samples }];
  };
  const open = (startMs: number): Entry[] => {
    isOpen = true;
    givenUntilMs = Math.max(givenUntilMs, startMs - LEAD_MS);
    return [{ type: 'reconsider' }];
  };
  const close = (): Entry[] => {
    isOpen = false;
    wantsFinal = false;
    return [{ type: 'finalize' }];
  };
  const frame = (startMs: number, endMs: number, probability: number): Entry[] => {
    const entries: Entry[] = [];
    for (const event of endpointer.next({ startMs, endMs, probability })) {
      if (event.type === 'opened') entries.push(...(isOpen ? [] : open(event.startMs)));
      else if (event.type === 'closed' && event.isCut) wantsFinal = true;
      else entries.push(...give(endMs), ...close());
    }
    if (wantsFinal && probability < settings.endProbability) {
      wantsFinal = false;
      entries.push(...give(endMs), { type: 'finalize' });
    }
    return entries;
  };
  return {
    hear: ({ startMs, samples, speech, speechStartMs, frameMs }) => {
      ring.write(startMs, samples);
      heardUntilMs = startMs + samples.length / SAMPLES_PER_MS;
      const entries: Entry[] = [];
      for (const [index, probability] of speech.entries()) {
        const at = speechStartMs + index * frameMs;
        entries.push(...frame(at, at + frameMs, probability));
      }
      return isOpen ? [...entries, ...give(heardUntilMs)] : entries;
    },
    end: () => {
      endpointer.end();
      return isOpen ? [...give(heardUntilMs), ...close()] : [];
    },
  };
}
