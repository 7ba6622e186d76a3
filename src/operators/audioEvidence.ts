import type { ModelInput } from '../domain/conversationModel.ts';
import type { Availability, PrivacyMode } from '../domain/modality.ts';
import type { Speaker } from '../domain/speaker.ts';
import type { UtteranceEvidence } from '../domain/utterance.ts';
import { createAudioRing, SAMPLE_RATE_HZ, type AudioRing } from './audioRing.ts';
import { setBounded } from './bounded.ts';
import { createOutages } from './outages.ts';
import type { Signal, UtteranceRecord } from './signal.ts';
import { coveredBy, overlapMs, totalMs, uncovered, type Span } from './spans.ts';
import { isSameSpeaker, type Streams } from './streams.ts';

/** What is measured of an utterance's audio (16 kHz mono); the features of `src/features/audio` have this shape. */
export type AudioFeatures = {
  /** The eight measures of prosody; undefined when there is too little signal to measure them honestly. */
  readonly prosody: (samples: Float32Array, sampleRateHz: number) => Float32Array | undefined;
  /** The segment descriptors at 10 Hz, row-major. */
  readonly segments: (samples: Float32Array, sampleRateHz: number) => { readonly data: Float32Array };
};

/** What was heard of an utterance. */
export type Heard = Pick<UtteranceEvidence, 'prosody' | 'segments'> & { readonly availability: Availability };

/** What audio says of utterances. */
export type AudioEvidence = {
  observe(signal: Signal): void;
  measure(record: UtteranceRecord): Heard;
  /** Lets go of the audio of a speaker's own streams. */
  erase(speaker: Speaker): void;
};

/** What decides how much audio is kept, and what is measured. Times in ms. */
export type AudioOptions = {
  readonly inputs: ReadonlySet<ModelInput>;
  readonly privacy: PrivacyMode;
  readonly features: AudioFeatures;
  readonly keptMs: number;
  readonly diarizedKeptMs: number;
  readonly minCleanMs: number;
};

const MAX_STREAMS = 64;

/**
 * Returns the audio of a session without any. Where others talk on the same channel it is left out, and what an interruption
 * or a gap took away is missing for that reason. Audio is held in a ring per stream, only when the model hears it, and let
 * go 30 s after its stream closed.
 */
export function createAudioEvidence(streams: Streams, options: AudioOptions): AudioEvidence {
  const { inputs, privacy, features, keptMs, diarizedKeptMs, minCleanMs } = options;
  const hearsAudio = inputs.has('prosody') || inputs.has('segments');
  const outages = createOutages();
  const rings = new Map<string, AudioRing>();

  const hear = ({ streamId, startMs, samples }: Extract<Signal, { type: 'voice' }>): void => {
    const known = rings.get(streamId);
    const isDiarized = streams.get(streamId)?.isDiarized === true;
    const ring = known ?? createAudioRing(isDiarized ? diarizedKeptMs : keptMs);
    if (known === undefined) setBounded(rings, streamId, ring, MAX_STREAMS);
    ring.write(startMs, samples);
  };
  const letGo = (clockMs: number): void => {
    for (const streamId of rings.keys()) {
      if (clockMs - (streams.get(streamId)?.closedAtMs ?? Infinity) > 30_000) rings.delete(streamId);
    }
  };

  const lostOf = ({ streamId, utterance }: UtteranceRecord, ring: AudioRing): Lost => {
    const outs = outages.within(streamId ?? '', utterance);
    if (outs.length === 0) return { ms: 0 };
    const holes = coveredBy(ring.holes, utterance).flatMap((hole) => coveredBy(outs, hole));
    const reason = outs.find((outage) => holes.some((hole) => overlapMs(outage, hole) > 0))?.reason;
    return { ms: totalMs(holes), ...(reason && { reason }) };
  };
  const measure = (record: UtteranceRecord): Heard => {
    if (privacy === 'text-only') return absent('privacy');
    if (!hearsAudio) return absent('not_in_weights');
    const ring = record.streamId === null ? undefined : rings.get(record.streamId);
    if (ring === undefined) return absent('no_audio');
    const clean = uncovered(record.overlaps, record.utterance);
    if (record.overlaps.length > 0 && totalMs(clean) < minCleanMs) return absent('overlap');
    const samples = concatenate(clean.map((span) => ring.read(span)));
    const prosody = inputs.has('prosody') ? features.prosody(samples, SAMPLE_RATE_HZ) : undefined;
    if (samples.length === 0 || (inputs.has('prosody') && prosody === undefined)) return absent('too_short');
    const segments = inputs.has('segments') ? features.segments(samples, SAMPLE_RATE_HZ).data : undefined;
    return {
      ...(prosody && { prosody }),
      ...(segments && segments.length > 0 && { segments }),
      availability: shareOf(samples.length, clean, record, lostOf(record, ring)),
    };
  };
  return {
    observe: (signal) => {
      outages.observe(signal);
      if (signal.type === 'voice' && hearsAudio) hear(signal);
      if (signal.type === 'streamOpened' || signal.type === 'streamClosed') letGo(signal.arrivalMs);
    },
    measure,
    erase: (speaker) => {
      for (const streamId of rings.keys()) {
        const own = streams.get(streamId)?.speaker;
        if (own && isSameSpeaker(own, speaker)) rings.delete(streamId);
      }
    },
  };
}

type Lost = { readonly ms: number; readonly reason?: NonNullable<Availability['reason']> };

function absent(reason: NonNullable<Availability['reason']>): Heard {
  return { availability: { share: 0, reason } };
}

/**
 * The share of the utterance that was measured; what was lost is missing for its reason, and more than 50 ms that the ring
 * did not hold as `no_audio`.
 */
function shareOf(
  samples: number,
  clean: readonly Span[],
  { utterance, overlaps }: UtteranceRecord,
  lost: Lost,
): Availability {
  const cleanMs = totalMs(clean);
  const heardMs = (samples * 1000) / SAMPLE_RATE_HZ;
  const isWhole = cleanMs - heardMs <= 50;
  if (isWhole && overlaps.length === 0 && lost.ms <= 50) return { share: 1 };
  const leftMs = (isWhole ? cleanMs : heardMs) - lost.ms;
  const share = Math.min(1, Math.max(0, leftMs / (utterance.endMs - utterance.startMs)));
  return { share, reason: lost.reason ?? (isWhole ? 'overlap' : 'no_audio') };
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
