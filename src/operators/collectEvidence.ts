import type { OperatorFunction } from 'rxjs';
import type { ModelInput } from '../domain/conversationModel.ts';
import type { Availability, PrivacyMode } from '../domain/modality.ts';
import type { ConsentChanged } from '../domain/observation.ts';
import { type AudioEvidence, createAudioEvidence, type AudioFeatures, type Heard } from './audioEvidence.ts';
import { requirePositive, setBounded } from './bounded.ts';
import { createConsents } from './consents.ts';
import type { Signal, UtteranceMeasured, UtteranceRecord } from './signal.ts';
import { VISUAL, type Visual } from './sight.ts';
import { totalMs } from './spans.ts';
import { stage, type Stage } from './stage.ts';
import { createStreams, isSameSpeaker, type Streams } from './streams.ts';
import { createTextEvidence, type TextEvidence } from './textEvidence.ts';
import { type Measured, type Sights, toEvidence } from './toEvidence.ts';
import { createVisualEvidence, type Seen, type VisualEvidence } from './visualEvidence.ts';

/** How much audio and how many pictures are kept and how much must be clean. Times in ms; defaults in {@link DEFAULT_EVIDENCE}. */
export type EvidenceSettings = {
  /** Audio and pictures kept of a stream; more than the longest utterance and the gap after it. */
  readonly audioMs: number;
  /** The same of a mixed stream with turns: a turn is reported when it is over. */
  readonly diarizedAudioMs: number;
  /** The least that must remain of an utterance when the parts where others talk are left out. */
  readonly minCleanMs: number;
  /** Pictures of an utterance that come this long after it was first told still revise it. */
  readonly pictureGraceMs: number;
};

/** 15 s of audio, 120 s where turns bound the utterances; at least 300 ms of it clean; 2 s for pictures that are late. */
export const DEFAULT_EVIDENCE: EvidenceSettings = {
  audioMs: 15_000,
  diarizedAudioMs: 120_000,
  minCleanMs: 300,
  pictureGraceMs: 2_000,
};

/** What evidence is collected for: the model's inputs, under a privacy mode. */
export type EvidenceOptions = {
  readonly inputs: ReadonlySet<ModelInput>;
  readonly privacy: PrivacyMode;
  readonly hasTurns: boolean;
  /** How many later utterances the model waits for: what it will never ask for again is let go. */
  readonly lookAhead: number;
  readonly features: AudioFeatures;
  /** Sums up the movement of body rows at 10 Hz, those without a person included; toMovement of `src/features/body`. */
  readonly movement?: (rows: Float32Array) => Float32Array | undefined;
  /** What an extractor reads of video streams; nothing unless given. */
  readonly extracts?: readonly Visual[];
  readonly settings: EvidenceSettings;
};

/** Utterances whose evidence is kept beside those that the model may still revise: texts and turns may be late. */
const SPARE_UTTERANCES = 16;
const NONE: readonly Signal[] = [];

/**
 * Emits each utterance with the evidence for it: its text, what is measured of its audio, its face and body rows at 10 Hz,
 * and how much of each modality was there or why not. An utterance that comes again is measured again only when its
 * overlap or speaker changed. When pictures of it are late, it comes again once: when the pictures have reached its
 * end, or `pictureGraceMs` after it was first told, and only if that changes how much was there. What a speaker does not allow is absent, and
 * what is held of it is let go at once. All else passes on; nothing is held back. On complete, utterances that wait for
 * pictures come again first; on error they are dropped.
 * @throws RangeError when a setting is not positive.
 */
export function collectEvidence(options: EvidenceOptions): OperatorFunction<Signal, Signal> {
  requirePositive(options.settings);
  return stage(() => new Collector(options));
}

/** Holds what was measured of the latest utterances, and which of them wait for pictures. */
class Collector implements Required<Stage<Signal, Signal>> {
  readonly #options: EvidenceOptions;
  readonly #maxUtterances: number;
  readonly #streams: Streams;
  readonly #consents = createConsents();
  readonly #text: TextEvidence;
  readonly #audio: AudioEvidence;
  readonly #pictures: VisualEvidence;
  readonly #measured = new Map<string, Measured>();
  readonly #waiting = new Map<string, { readonly dueMs: number }>();
  #clockMs = 0;

  constructor(options: EvidenceOptions) {
    const { inputs, privacy, hasTurns, features, settings } = options;
    const { minCleanMs, audioMs: keptMs, diarizedAudioMs: diarizedKeptMs } = settings;
    this.#options = options;
    this.#maxUtterances = options.lookAhead + SPARE_UTTERANCES;
    this.#streams = createStreams(hasTurns);
    const shared = { inputs, privacy, keptMs, diarizedKeptMs };
    const extracts = new Set(options.extracts ?? []);
    this.#text = createTextEvidence(this.#streams);
    this.#audio = createAudioEvidence(this.#streams, { ...shared, features, minCleanMs });
    this.#pictures = createVisualEvidence(this.#streams, { ...shared, extracts, hasTurns });
  }

  next(signal: Signal): readonly Signal[] {
    this.#clockMs = Math.max(this.#clockMs, signal.arrivalMs);
    this.#streams.observe(signal);
    this.#consents.observe(signal);
    this.#text.observe(signal);
    this.#audio.observe(signal);
    this.#pictures.observe(signal);
    if (signal.type === 'consent') this.#obey(signal);
    const settled = this.#waiting.size > 0 ? this.#settle(false) : NONE;
    if (signal.type !== 'utteranceAligned') return settled.length === 0 ? [signal] : [...settled, signal];
    const { record, isNew } = signal;
    const known = this.#measure(record);
    if (isNew && this.#pictures.isAwaited(record, this.#clockMs)) this.#wait(record.utterance.id);
    return [...settled, this.#tell(known, isNew)];
  }

  complete(): readonly Signal[] {
    return this.#settle(true);
  }

  #obey({ speaker, modalities }: ConsentChanged): void {
    if (!modalities.includes('audio')) this.#audio.erase(speaker);
    for (const modality of VISUAL) if (!modalities.includes(modality)) this.#pictures.erase(modality, speaker);
    for (const [id, { record }] of this.#measured)
      if (isSameSpeaker(record.utterance.speaker, speaker)) this.#measured.delete(id);
  }

  #measure(record: UtteranceRecord): Measured {
    const { id, speaker } = record.utterance;
    const known = this.#measured.get(id);
    const isSameVoice = known !== undefined && totalMs(known.record.overlaps) === totalMs(record.overlaps);
    const isTheirs = known !== undefined && isSameSpeaker(known.record.utterance.speaker, speaker);
    const heard = isSameVoice && isTheirs ? known.heard : this.#hear(record);
    return this.#keep({ record, heard, seen: isTheirs ? known.seen : this.#see(record) });
  }

  #keep(measured: Measured): Measured {
    setBounded(this.#measured, measured.record.utterance.id, measured, this.#maxUtterances);
    return measured;
  }

  #wait(id: string): void {
    const dueMs = this.#clockMs + this.#options.settings.pictureGraceMs;
    setBounded(this.#waiting, id, { dueMs }, this.#maxUtterances);
  }

  /** Measures again what waited for pictures that have come, or waited long enough. */
  #settle(isOver: boolean): readonly Signal[] {
    const signals: Signal[] = [];
    for (const [id, { dueMs }] of this.#waiting) {
      const known = this.#measured.get(id);
      const isDue = isOver || this.#clockMs >= dueMs;
      if (known && !isDue && this.#pictures.isAwaited(known.record, this.#clockMs)) continue;
      this.#waiting.delete(id);
      if (known === undefined) continue;
      const seen = this.#see(known.record);
      if (VISUAL.every((modality) => isSame(seen[modality], known.seen[modality]))) continue;
      signals.push(this.#tell(this.#keep({ ...known, seen }), false));
    }
    return signals;
  }

  #read(record: UtteranceRecord): Availability {
    if (!this.#options.inputs.has('text')) return { share: 0, reason: 'not_in_weights' };
    const reason = this.#consents.reasonOf('text', record.utterance.speaker);
    return reason === undefined ? this.#text.measure(record) : { share: 0, reason };
  }

  #hear(record: UtteranceRecord): Heard {
    const reason = this.#consents.reasonOf('audio', record.utterance.speaker);
    return reason === undefined ? this.#audio.measure(record) : { availability: { share: 0, reason } };
  }

  #see(record: UtteranceRecord): Sights {
    const see = (modality: Visual): Seen => {
      const reason = this.#consents.reasonOf(modality, record.utterance.speaker);
      return reason === undefined ? this.#pictures.measure(modality, record) : { availability: { share: 0, reason } };
    };
    return { face: see('face'), body: see('body') };
  }

  #tell(known: Measured, isNew: boolean): UtteranceMeasured {
    const { record } = known;
    const evidence = toEvidence(known, this.#read(record), this.#options);
    return { type: 'utteranceMeasured', arrivalMs: this.#clockMs, isNew, record, evidence };
  }
}

function isSame({ availability: a }: Seen, { availability: b }: Seen): boolean {
  return a.share === b.share && a.reason === b.reason;
}
