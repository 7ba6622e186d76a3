import type { ModelInput } from '../domain/conversationModel.ts';
import type { Availability, MissingReason, PrivacyMode } from '../domain/modality.ts';
import type { VisualFrame } from '../domain/observation.ts';
import type { Speaker } from '../domain/speaker.ts';
import { setBounded } from './bounded.ts';
import { createCameras } from './cameras.ts';
import { createOutages } from './outages.ts';
import type { Signal, UtteranceRecord } from './signal.ts';
import type { Visual } from './sight.ts';
import { isSameSpeaker, type Stream, type Streams } from './streams.ts';
import { createVisualRing, ROW_WIDTH, type VisualRing } from './visualRing.ts';

/**
 * What was seen of a face or a body during an utterance: rows at 10 Hz with somebody in them; and of bodies whose movement is
 * heard, all rows in place.
 */
export type Seen = { readonly rows?: Float32Array; readonly all?: Float32Array; readonly availability: Availability };

/** What pictures say of utterances. */
export type VisualEvidence = {
  observe(signal: Signal): void;
  measure(modality: Visual, record: UtteranceRecord): Seen;
  /** May pictures of the utterance still be on their way: do any come, and has none come yet that is past its end? */
  isAwaited(record: UtteranceRecord, clockMs: number): boolean;
  /** Lets go of all that is held of a modality of a speaker. */
  erase(modality: Visual, speaker: Speaker): void;
};

/** What decides which pictures are kept, and for how long. */
export type VisualOptions = {
  readonly inputs: ReadonlySet<ModelInput>;
  readonly privacy: PrivacyMode;
  readonly extracts: ReadonlySet<Visual>;
  /** Pictures kept of a stream, in ms, and of one that a diarizer's turns may look back on. */
  readonly keptMs: number;
  readonly diarizedKeptMs: number;
  readonly hasTurns: boolean;
};

type Kept = { readonly streamId: string; readonly modality: Visual; readonly speaker: Speaker | undefined } & {
  readonly ring: VisualRing;
};

/** Rows per second of a sequence, and what lies between two. */
const STEP_MS = 100;
/** A row is the nearest picture within this: at 2 pictures a second each stands for half a second. */
const REACH_MS = 300;
/** No picture for this long means that none is awaited. */
const STALE_MS = 2_000;
const MAX_RINGS = 256;

/**
 * Returns the pictures of a session without any. The stream that shows most of the speaker counts: among their own streams,
 * else among those that show everybody, whose pictures belong to whoever is speaking. A row without a person is missing for
 * what interrupted the stream, for `no_video` while the camera was off (a black picture is no dark room), for the reason
 * its picture gives, and without a picture for `no_extractor` where nobody reads pictures, else as `stalled`.
 */
export function createVisualEvidence(streams: Streams, options: VisualOptions): VisualEvidence {
  const { inputs, privacy, extracts } = options;
  const cameras = createCameras();
  const outages = createOutages();
  const kept = new Map<string, Kept>();
  const read = new Set<string>();
  const isHeard = (modality: Visual): boolean =>
    inputs.has(modality) || (modality === 'body' && inputs.has('movement'));

  const keep = (frame: VisualFrame): void => {
    const { streamId, modality } = frame;
    const stream = streams.get(streamId);
    if (read.size < 2 * MAX_RINGS) read.add(`${modality} ${streamId}`);
    if (!isHeard(modality)) return;
    const speaker = stream?.speaker ?? frame.speaker;
    const key = `${modality} ${streamId} ${speaker?.id ?? ''}`;
    const keptMs = options.hasTurns && speaker === undefined ? options.diarizedKeptMs : options.keptMs;
    const known = kept.get(key) ?? { streamId, modality, speaker, ring: createVisualRing(modality, keptMs) };
    if (!kept.has(key)) setBounded(kept, key, known, MAX_RINGS);
    known.ring.write(frame);
  };
  const showing = (modality: Visual, speaker: Speaker): readonly Stream[] => {
    const all = [...streams.all()].filter(({ kind }) => kind === 'video' || kind === modality);
    const own = all.filter((stream) => stream.speaker && isSameSpeaker(stream.speaker, speaker));
    return own.length > 0 ? own : all.filter((stream) => stream.speaker === undefined);
  };
  const ringOf = (modality: Visual, streamId: string, speaker: Speaker): VisualRing | undefined =>
    (
      kept.get(`${modality} ${streamId} ${speaker.id}`) ??
      [...kept.values()].find(
        (one) =>
          one.streamId === streamId &&
          one.modality === modality &&
          (one.speaker === undefined || isSameSpeaker(one.speaker, speaker)),
      )
    )?.ring;

  const view = (stream: Stream, modality: Visual, { utterance }: UtteranceRecord): Seen => {
    const { streamId } = stream;
    const ring = ringOf(modality, streamId, utterance.speaker);
    const isRead = extracts.has(modality) || stream.kind !== 'video' || read.has(`${modality} ${streamId}`);
    const outs = outages.within(streamId, utterance);
    const missingAt = (atMs: number, ofPicture: MissingReason | undefined): MissingReason =>
      outs.find((outage) => outage.startMs <= atMs && atMs < outage.endMs)?.reason ??
      (stream.kind === 'video' && !cameras.isStreamOn(streamId, atMs) ? 'no_video' : undefined) ??
      ofPicture ??
      (!isRead ? 'no_extractor' : isHeard(modality) ? 'stalled' : 'not_in_weights');
    const count = Math.max(1, Math.round((utterance.endMs - utterance.startMs) / STEP_MS));
    const rows: (Float32Array | undefined)[] = [];
    const reasons = new Map<MissingReason, number>();
    for (let i = 0; i < count; i++) {
      const atMs = utterance.startMs + (i + 0.5) * STEP_MS;
      const sighting = ring?.nearest(atMs, REACH_MS);
      rows.push(sighting?.row);
      if (sighting?.row !== undefined) continue;
      const reason = missingAt(atMs, sighting?.reason);
      reasons.set(reason, (reasons.get(reason) ?? 0) + 1);
    }
    const seen = toSeen(rows, reasons, ROW_WIDTH[modality]);
    return seen.rows && modality === 'body' && inputs.has('movement')
      ? { ...seen, all: pack(rows, ROW_WIDTH.body) }
      : seen;
  };

  return {
    observe: (signal) => {
      cameras.observe(signal);
      outages.observe(signal);
      if (signal.type === 'visual') keep(signal);
      if (signal.type === 'streamOpened')
        for (const [key, { streamId, ring }] of kept)
          if (streams.get(streamId)?.closedAtMs !== undefined && signal.arrivalMs - ring.latest.arrivalMs > 30_000)
            kept.delete(key);
    },
    measure: (modality, record) => {
      if (privacy === 'text-only' || (privacy === 'no-face' && modality === 'face')) return lacking('privacy');
      const views = showing(modality, record.utterance.speaker).map((stream) => view(stream, modality, record));
      const [best] = views.toSorted((a, b) => b.availability.share - a.availability.share);
      return best ?? lacking('no_video');
    },
    isAwaited: ({ utterance }, clockMs) =>
      [...kept.values()].some(({ speaker, ring: { latest } }) => {
        const isTheirs = speaker === undefined || isSameSpeaker(speaker, utterance.speaker);
        return isTheirs && latest.atMs < utterance.endMs && clockMs - latest.arrivalMs < STALE_MS;
      }),
    erase: (modality, speaker) => {
      for (const [key, one] of kept)
        if (one.modality === modality && one.speaker && isSameSpeaker(one.speaker, speaker)) kept.delete(key);
    },
  };
}

function lacking(reason: MissingReason): Seen {
  return { availability: { share: 0, reason } };
}

function toSeen(
  rows: readonly (Float32Array | undefined)[],
  reasons: ReadonlyMap<MissingReason, number>,
  width: number,
): Seen {
  const found = rows.filter((row) => row !== undefined);
  const [dominating] = [...reasons].toSorted((a, b) => b[1] - a[1]);
  const availability = { share: found.length / rows.length, ...(dominating && { reason: dominating[0] }) };
  if (found.length === 0) return { availability };
  return { rows: pack(found, width), availability };
}

function pack(rows: readonly (Float32Array | undefined)[], width: number): Float32Array {
  const packed = new Float32Array(rows.length * width);
  rows.forEach((row, i) => row && packed.set(row, i * width));
  return packed;
}
