import type { OperatorFunction } from 'rxjs';
import type { ModelInput } from '../domain/conversationModel.ts';
import { perModality, type Availability, type Modality, type PrivacyMode } from '../domain/modality.ts';
import type { ConsentChanged } from '../domain/observation.ts';
import type { UtteranceEvidence } from '../domain/utterance.ts';
import { createAudioEvidence, type AudioFeatures, type Heard } from './audioEvidence.ts';
import { requirePositive, setBounded } from './bounded.ts';
import { createConsents } from './consents.ts';
import { createOutages } from './outages.ts';
import type { Signal, UtteranceMeasured, UtteranceRecord } from './signal.ts';
import { VISUAL, type Visual } from './sight.ts';
import { totalMs } from './spans.ts';
import { stage, type Stage } from './stage.ts';
import { createStreams, isSameSpeaker } from './streams.ts';
import { createVisualEvidence, type Seen } from './visualEvidence.ts';

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

type Sights = Readonly<Record<Visual, Seen>>;
/** What was measured of an utterance, kept because it may come again with other words. */
type Measured = { readonly record: UtteranceRecord; readonly heard: Heard; readonly seen: Sights };

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
  return stage(() => createCollector(options));
}

function createCollector(options: EvidenceOptions): Required<Stage<Signal, Signal>> {
  const { inputs, privacy, hasTurns, features, movement, settings } = options;
  const maxUtterances = options.lookAhead + SPARE_UTTERANCES;
  const kept = { keptMs: settings.audioMs, diarizedKeptMs: settings.diarizedAudioMs };
  const streams = createStreams(hasTurns);
  const consents = createConsents();
  const outages = createOutages();
  const { minCleanMs } = settings;
  const audio = createAudioEvidence(streams, { inputs, privacy, features, minCleanMs, ...kept });
  const extracts = new Set(options.extracts ?? []);
  const pictures = createVisualEvidence(streams, { inputs, privacy, extracts, hasTurns, ...kept });
  const measured = new Map<string, Measured>();
  const waiting = new Map<string, { readonly record: UtteranceRecord; readonly dueMs: number }>();
  let clockMs = 0;

  const see = (modality: Visual, record: UtteranceRecord): Seen => {
    const reason = consents.reasonOf(modality, record.utterance.speaker);
    return reason === undefined ? pictures.measure(modality, record) : { availability: { share: 0, reason } };
  };
  const seeBoth = (record: UtteranceRecord): Sights => ({ face: see('face', record), body: see('body', record) });
  const hear = (record: UtteranceRecord): Heard => {
    const reason = consents.reasonOf('audio', record.utterance.speaker);
    return reason === undefined ? audio.measure(record) : { availability: { share: 0, reason } };
  };
  const measure = (record: UtteranceRecord): Measured => {
    const { id, speaker } = record.utterance;
    const known = measured.get(id);
    const isSameVoice = known !== undefined && totalMs(known.record.overlaps) === totalMs(record.overlaps);
    const isTheirs = known !== undefined && isSameSpeaker(known.record.utterance.speaker, speaker);
    const heard = isSameVoice && isTheirs ? known.heard : hear(record);
    const next = { record, heard, seen: isTheirs ? known.seen : seeBoth(record) };
    setBounded(measured, id, next, maxUtterances);
    return next;
  };
  const textOf = ({ text, language, utterance }: UtteranceRecord): Availability => {
    const { speaker } = utterance;
    const reason = inputs.has('text') ? consents.reasonOf('text', speaker) : 'not_in_weights';
    if (reason !== undefined) return { share: 0, reason };
    if (language !== undefined) return { share: 0, reason: 'language' };
    if (text !== null) return { share: 1 };
    const outs = [...streams.all()]
      .filter((stream) => stream.kind === 'captions' && (!stream.speaker || isSameSpeaker(stream.speaker, speaker)))
      .flatMap((stream) => outages.within(stream.streamId, utterance));
    return { share: 0, reason: outs.find(({ reason: out }) => out !== 'track_ended')?.reason ?? 'no_captions' };
  };
  const evidenceOf = ({ record, heard, seen }: Measured): UtteranceEvidence => {
    const { availability, ...sound } = heard;
    const text = textOf(record);
    const of = (modality: Modality): Availability => {
      if (modality === 'text') return text;
      return modality === 'audio' ? availability : seen[modality].availability;
    };
    const moved = inputs.has('movement') && seen.body.all ? movement?.(seen.body.all) : undefined;
    return {
      ...(text.share > 0 && record.text !== null && { text: record.text }),
      ...sound,
      ...(inputs.has('face') && seen.face.rows && { face: seen.face.rows }),
      ...(inputs.has('body') && seen.body.rows && { body: seen.body.rows }),
      ...(moved && { vectors: { movement: moved } }),
      availability: perModality(of),
    };
  };
  const tell = (known: Measured, isNew: boolean): UtteranceMeasured => ({
    type: 'utteranceMeasured',
    arrivalMs: clockMs,
    isNew,
    record: known.record,
    evidence: evidenceOf(known),
  });

  /** Measures again what waited for pictures that have come, or waited long enough. */
  const settle = (isOver: boolean): readonly Signal[] => {
    const signals: Signal[] = [];
    for (const [id, { dueMs }] of waiting) {
      const known = measured.get(id);
      if (known && !isOver && clockMs < dueMs && pictures.isAwaited(known.record, clockMs)) continue;
      waiting.delete(id);
      if (known === undefined) continue;
      const seen = seeBoth(known.record);
      if (VISUAL.every((modality) => isSame(seen[modality], known.seen[modality]))) continue;
      const next = { ...known, seen };
      setBounded(measured, id, next, maxUtterances);
      signals.push(tell(next, false));
    }
    return signals;
  };
  const obey = ({ speaker, modalities }: ConsentChanged): void => {
    if (!modalities.includes('audio')) audio.erase(speaker);
    for (const modality of VISUAL) if (!modalities.includes(modality)) pictures.erase(modality, speaker);
    for (const [id, { record }] of measured) if (isSameSpeaker(record.utterance.speaker, speaker)) measured.delete(id);
  };

  return {
    next: (signal) => {
      clockMs = Math.max(clockMs, signal.arrivalMs);
      streams.observe(signal);
      consents.observe(signal);
      outages.observe(signal);
      audio.observe(signal);
      pictures.observe(signal);
      if (signal.type === 'consent') obey(signal);
      const settled = waiting.size > 0 ? settle(false) : NONE;
      if (signal.type !== 'utteranceAligned') return settled.length === 0 ? [signal] : [...settled, signal];
      const { record, isNew } = signal;
      const known = measure(record);
      if (isNew && pictures.isAwaited(record, clockMs))
        setBounded(waiting, record.utterance.id, { record, dueMs: clockMs + settings.pictureGraceMs }, maxUtterances);
      return [...settled, tell(known, isNew)];
    },
    complete: () => settle(true),
  };
}

function isSame({ availability: a }: Seen, { availability: b }: Seen): boolean {
  return a.share === b.share && a.reason === b.reason;
}
