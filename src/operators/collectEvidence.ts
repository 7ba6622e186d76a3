import type { OperatorFunction } from 'rxjs';
import type { ModelInput } from '../domain/conversationModel.ts';
import { perModality, type Availability, type Modality, type PrivacyMode } from '../domain/modality.ts';
import type { UtteranceEvidence } from '../domain/utterance.ts';
import { createAudioRing, SAMPLE_RATE_HZ, type AudioRing } from './audioRing.ts';
import { requirePositive, setBounded } from './bounded.ts';
import { createCameras } from './cameras.ts';
import type { Signal, UtteranceRecord } from './signal.ts';
import { totalMs, uncovered, type Span } from './spans.ts';
import { stage, type Stage } from './stage.ts';
import { createStreams } from './streams.ts';

/** How much audio is kept and how much of it must be clean. Times in ms; defaults in {@link DEFAULT_EVIDENCE}. */
export type EvidenceSettings = {
  /** Audio kept of a stream; more than the longest utterance and the gap after it. */
  readonly audioMs: number;
  /** Audio kept of a mixed stream with turns: a turn is reported when it is over. */
  readonly diarizedAudioMs: number;
  /** The least that must remain of an utterance when the parts where others talk are left out. */
  readonly minCleanMs: number;
};

/** 15 s of audio, 120 s where turns bound the utterances; at least 300 ms of it clean. */
export const DEFAULT_EVIDENCE: EvidenceSettings = { audioMs: 15_000, diarizedAudioMs: 120_000, minCleanMs: 300 };

/** What is measured of an utterance's audio (16 kHz mono); the features of `src/features/audio` have this shape. */
export type AudioFeatures = {
  /** The eight measures of prosody; undefined when there is too little signal to measure them honestly. */
  readonly prosody: (samples: Float32Array, sampleRateHz: number) => Float32Array | undefined;
  /** The segment descriptors at 10 Hz, row-major. */
  readonly segments: (samples: Float32Array, sampleRateHz: number) => { readonly data: Float32Array };
};

/** What evidence is collected for: the model's inputs, under a privacy mode. */
export type EvidenceOptions = {
  readonly inputs: ReadonlySet<ModelInput>;
  readonly privacy: PrivacyMode;
  readonly hasTurns: boolean;
  readonly features: AudioFeatures;
  readonly settings: EvidenceSettings;
};

type AudioEvidence = Pick<UtteranceEvidence, 'prosody' | 'segments'> & { readonly availability: Availability };

const MAX_STREAMS = 64;
const MAX_UTTERANCES = 128;

/**
 * Emits each utterance with the evidence for it: its text, what is measured of its audio, and how much of each modality
 * was there or why not. Where others talk on the same channel the audio is left out. An utterance that comes again is
 * measured again only when its overlap changed. Audio is held in a ring per stream, only when the model hears it, and
 * let go 30 s after its stream closed. All else passes on; nothing is held back.
 * @throws RangeError when a setting is not positive.
 */
export function collectEvidence(options: EvidenceOptions): OperatorFunction<Signal, Signal> {
  requirePositive(options.settings);
  return stage(() => createCollector(options));
}

function createCollector({ inputs, privacy, hasTurns, features, settings }: EvidenceOptions): Stage<Signal, Signal> {
  const hearsAudio = inputs.has('prosody') || inputs.has('segments');
  const streams = createStreams(hasTurns);
  const cameras = createCameras();
  const rings = new Map<string, AudioRing>();
  const measured = new Map<string, { readonly overlapMs: number; readonly audio: AudioEvidence }>();

  const hear = ({ streamId, startMs, samples }: Extract<Signal, { type: 'voice' }>): void => {
    const known = rings.get(streamId);
    const isDiarized = streams.get(streamId)?.isDiarized === true;
    const ring = known ?? createAudioRing(isDiarized ? settings.diarizedAudioMs : settings.audioMs);
    if (known === undefined) setBounded(rings, streamId, ring, MAX_STREAMS);
    ring.write(startMs, samples);
  };
  const letGo = (clockMs: number): void => {
    for (const streamId of rings.keys()) {
      if (clockMs - (streams.get(streamId)?.closedAtMs ?? Infinity) > 30_000) rings.delete(streamId);
    }
  };

  const measure = (record: UtteranceRecord): AudioEvidence => {
    if (privacy === 'text-only') return absent('privacy');
    if (!hearsAudio) return absent('not_in_weights');
    const ring = record.streamId === null ? undefined : rings.get(record.streamId);
    if (ring === undefined) return absent('no_audio');
    const clean = uncovered(record.overlaps, record.utterance);
    if (record.overlaps.length > 0 && totalMs(clean) < settings.minCleanMs) return absent('overlap');
    const samples = concatenate(clean.map((span) => ring.read(span)));
    const prosody = inputs.has('prosody') ? features.prosody(samples, SAMPLE_RATE_HZ) : undefined;
    if (samples.length === 0 || (inputs.has('prosody') && prosody === undefined)) return absent('too_short');
    const segments = inputs.has('segments') ? features.segments(samples, SAMPLE_RATE_HZ).data : undefined;
    return {
      ...(prosody && { prosody }),
      ...(segments && segments.length > 0 && { segments }),
      availability: shareOf(samples.length, clean, record),
    };
  };
  const audioOf = (record: UtteranceRecord): AudioEvidence => {
    const { id } = record.utterance;
    const overlapMs = totalMs(record.overlaps);
    const known = measured.get(id);
    if (known?.overlapMs === overlapMs) return known.audio;
    const audio = measure(record);
    setBounded(measured, id, { overlapMs, audio }, MAX_UTTERANCES);
    return audio;
  };

  const visual = (modality: 'face' | 'body', record: UtteranceRecord): Availability => {
    if (privacy === 'text-only' || (privacy === 'no-face' && modality === 'face'))
      return { share: 0, reason: 'privacy' };
    const { speaker } = record.utterance;
    return { share: 0, reason: cameras.isOn(speaker, record.utterance) ? 'no_extractor' : 'no_video' };
  };
  const textOf = ({ text }: UtteranceRecord): Availability => {
    if (!inputs.has('text')) return { share: 0, reason: 'not_in_weights' };
    return text === null ? { share: 0, reason: 'no_captions' } : { share: 1 };
  };

  const collect = (record: UtteranceRecord): UtteranceEvidence => {
    const { availability, ...audio } = audioOf(record);
    const of = (modality: Modality): Availability => {
      if (modality === 'text') return textOf(record);
      return modality === 'audio' ? availability : visual(modality, record);
    };
    const text = inputs.has('text') && record.text !== null ? { text: record.text } : {};
    return { ...text, ...audio, availability: perModality(of) };
  };

  return {
    next: (signal) => {
      streams.observe(signal);
      cameras.observe(signal);
      if (signal.type === 'voice' && hearsAudio) hear(signal);
      if (signal.type === 'streamOpened' || signal.type === 'streamClosed') letGo(signal.arrivalMs);
      if (signal.type !== 'utteranceAligned') return [signal];
      return [{ ...signal, type: 'utteranceMeasured', evidence: collect(signal.record) }];
    },
  };
}

function absent(reason: NonNullable<Availability['reason']>): AudioEvidence {
  return { availability: { share: 0, reason } };
}

/** The share of the utterance that was measured; more than 50 ms that the ring did not hold are missing as `no_audio`. */
function shareOf(samples: number, clean: readonly Span[], { utterance, overlaps }: UtteranceRecord): Availability {
  const cleanMs = totalMs(clean);
  const heardMs = (samples * 1000) / SAMPLE_RATE_HZ;
  const isWhole = cleanMs - heardMs <= 50;
  if (isWhole && overlaps.length === 0) return { share: 1 };
  const share = Math.min(1, (isWhole ? cleanMs : heardMs) / (utterance.endMs - utterance.startMs));
  return { share, reason: isWhole ? 'overlap' : 'no_audio' };
}

function concatenate(parts: readonly Float32Array[]): Float32Array {
  const [first] = parts;
  if (first !== undefined && parts.length === 1) return first;
  const all = new Float32Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}
