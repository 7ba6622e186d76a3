import type { VoiceActivity } from '../../domain/observation.ts';
import { createAudioRing } from '../../operators/audioRing.ts';
import {
  createEndpointer,
  DEFAULT_ENDPOINTING,
  type Endpointer,
  type EndpointingSettings,
  type Frame,
} from '../../operators/endpointer.ts';
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
  return new SpeechGate(settings);
}

/** Holds the latest sound, of which it gives what is speech. */
class SpeechGate implements Gate {
  readonly #settings: EndpointingSettings;
  readonly #endpointer: Endpointer;
  readonly #ring = createAudioRing(HELD_MS);
  #heardUntilMs = 0;
  #givenUntilMs = 0;
  #isOpen = false;
  /** Speech was cut for its length: a final is asked for at its next pause. */
  #wantsFinal = false;

  constructor(settings: EndpointingSettings) {
    this.#settings = settings;
    this.#endpointer = createEndpointer(settings);
  }

  hear({ startMs, samples, speech, speechStartMs, frameMs }: VoiceActivity): readonly Entry[] {
    this.#ring.write(startMs, samples);
    this.#heardUntilMs = startMs + samples.length / SAMPLES_PER_MS;
    const entries: Entry[] = [];
    for (const [index, probability] of speech.entries()) {
      const atMs = speechStartMs + index * frameMs;
      entries.push(...this.#hearFrame({ startMs: atMs, endMs: atMs + frameMs, probability }));
    }
    return this.#isOpen ? [...entries, ...this.#give(this.#heardUntilMs)] : entries;
  }

  end(): readonly Entry[] {
    this.#endpointer.end();
    return this.#isOpen ? [...this.#give(this.#heardUntilMs), ...this.#close()] : [];
  }

  #hearFrame(frame: Frame): readonly Entry[] {
    const entries: Entry[] = [];
    for (const event of this.#endpointer.next(frame)) {
      if (event.type === 'opened') entries.push(...(this.#isOpen ? [] : this.#open(event.startMs)));
      else if (event.type === 'closed' && event.isCut) this.#wantsFinal = true;
      else entries.push(...this.#give(frame.endMs), ...this.#close());
    }
    if (this.#wantsFinal && frame.probability < this.#settings.endProbability) {
      this.#wantsFinal = false;
      entries.push(...this.#give(frame.endMs), { type: 'finalize' });
    }
    return entries;
  }

  #open(startMs: number): readonly Entry[] {
    this.#isOpen = true;
    this.#givenUntilMs = Math.max(this.#givenUntilMs, startMs - LEAD_MS);
    return [{ type: 'reconsider' }];
  }

  #close(): readonly Entry[] {
    this.#isOpen = false;
    this.#wantsFinal = false;
    return [{ type: 'finalize' }];
  }

  /** The sound up to `untilMs` that was not given yet. */
  #give(untilMs: number): readonly Entry[] {
    if (untilMs <= this.#givenUntilMs) return [];
    const startMs = Math.max(this.#givenUntilMs, untilMs - HELD_MS);
    const samples = this.#ring.read({ startMs, endMs: untilMs });
    this.#givenUntilMs = untilMs;
    return samples.length === 0 ? [] : [{ type: 'sound', startMs: untilMs - samples.length / SAMPLES_PER_MS, samples }];
  }
}
