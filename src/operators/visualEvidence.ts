import type { ModelInput } from '../domain/conversationModel.ts';
import type { Availability, MissingReason, PrivacyMode } from '../domain/modality.ts';
import type { VisualFrame } from '../domain/observation.ts';
import type { Speaker } from '../domain/speaker.ts';
import type { Utterance } from '../domain/utterance.ts';
import { createCameras } from './cameras.ts';
import { createOutages } from './outages.ts';
import type { Signal, UtteranceRecord } from './signal.ts';
import type { Visual } from './sight.ts';
import { isSameSpeaker, type Stream, type Streams } from './streams.ts';
import { ROW_WIDTH, type Sighting } from './visualRing.ts';
import { createVisualStore, MAX_RINGS } from './visualStore.ts';

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

/** Rows per second of a sequence, and what lies between two. */
const STEP_MS = 100;
/** A row is the nearest picture within this: at 2 pictures a second each stands for half a second. */
const REACH_MS = 300;
/** Streams of which it is remembered that somebody reads their pictures. */
const MAX_READ = 2 * MAX_RINGS;

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
  const store = createVisualStore();
  const read = new Set<string>();
  const isHeard = (modality: Visual): boolean =>
    inputs.has(modality) || (modality === 'body' && inputs.has('movement'));

  const keep = (frame: VisualFrame): void => {
    const { streamId, modality } = frame;
    if (read.size < MAX_READ) read.add(`${modality} ${streamId}`);
    if (!isHeard(modality)) return;
    const speaker = streams.get(streamId)?.speaker ?? frame.speaker;
    const isOfTurns = options.hasTurns && speaker === undefined;
    store.keep(frame, speaker, isOfTurns ? options.diarizedKeptMs : options.keptMs);
  };
  const showing = (modality: Visual, speaker: Speaker): readonly Stream[] => {
    const all = [...streams.all()].filter(({ kind }) => kind === 'video' || kind === modality);
    const own = all.filter((stream) => stream.speaker && isSameSpeaker(stream.speaker, speaker));
    return own.length > 0 ? own : all.filter((stream) => stream.speaker === undefined);
  };
  /** Why a stream shows nothing of a modality at a time of an utterance, given what its picture says. */
  const explain = ({ streamId, kind }: Stream, modality: Visual, utterance: Utterance): Explain => {
    const isRead = extracts.has(modality) || kind !== 'video' || read.has(`${modality} ${streamId}`);
    const unread = !isRead ? 'no_extractor' : isHeard(modality) ? 'stalled' : 'not_in_weights';
    const outs = outages.within(streamId, utterance);
    return (atMs, ofPicture) =>
      outs.find((outage) => outage.startMs <= atMs && atMs < outage.endMs)?.reason ??
      (kind === 'video' && !cameras.isStreamOn(streamId, atMs) ? 'no_video' : undefined) ??
      ofPicture ??
      unread;
  };
  const view = (stream: Stream, modality: Visual, { utterance }: UtteranceRecord): Seen => {
    const ring = store.find(modality, stream.streamId, utterance.speaker);
    const sightings = sample(utterance, (atMs) => ring?.nearest(atMs, REACH_MS));
    const isMovementHeard = modality === 'body' && inputs.has('movement');
    return toSeen(sightings, explain(stream, modality, utterance), ROW_WIDTH[modality], isMovementHeard);
  };

  return {
    observe: (signal) => {
      cameras.observe(signal);
      outages.observe(signal);
      if (signal.type === 'visual') keep(signal);
      if (signal.type === 'streamOpened') store.dropClosed(streams, signal.arrivalMs);
    },
    measure: (modality, record) => {
      if (privacy === 'text-only' || (privacy === 'no-face' && modality === 'face')) return lacking('privacy');
      const views = showing(modality, record.utterance.speaker).map((stream) => view(stream, modality, record));
      const [best] = views.toSorted((a, b) => b.availability.share - a.availability.share);
      return best ?? lacking('no_video');
    },
    isAwaited: ({ utterance }, clockMs) => store.isAwaited(utterance, clockMs),
    erase: (modality, speaker) => store.erase(modality, speaker),
  };
}

/** Why there is no row at a time, given what the picture nearest to it says, if there is one. */
type Explain = (atMs: number, ofPicture: MissingReason | undefined) => MissingReason;
/** What was seen at one time of an utterance, if a picture is near. */
type Sample = { readonly atMs: number; readonly sighting: Sighting | undefined };

/** Looks ten times a second, in the middle of each step; at least once. */
function sample({ startMs, endMs }: Utterance, nearest: (atMs: number) => Sighting | undefined): readonly Sample[] {
  const count = Math.max(1, Math.round((endMs - startMs) / STEP_MS));
  return Array.from({ length: count }, (_, step) => {
    const atMs = startMs + (step + 0.5) * STEP_MS;
    return { atMs, sighting: nearest(atMs) };
  });
}

function lacking(reason: MissingReason): Seen {
  return { availability: { share: 0, reason } };
}

function toSeen(samples: readonly Sample[], explain: Explain, width: number, withAll: boolean): Seen {
  const rows = samples.map(({ sighting }) => sighting?.row);
  const found = rows.filter((row) => row !== undefined);
  const reasons = new Map<MissingReason, number>();
  for (const { atMs, sighting } of samples) {
    if (sighting?.row !== undefined) continue;
    const reason = explain(atMs, sighting?.reason);
    reasons.set(reason, (reasons.get(reason) ?? 0) + 1);
  }
  const [dominating] = [...reasons].toSorted((a, b) => b[1] - a[1]);
  const availability = { share: found.length / rows.length, ...(dominating && { reason: dominating[0] }) };
  if (found.length === 0) return { availability };
  return { rows: pack(found, width), ...(withAll && { all: pack(rows, width) }), availability };
}

function pack(rows: readonly (Float32Array | undefined)[], width: number): Float32Array {
  const packed = new Float32Array(rows.length * width);
  rows.forEach((row, i) => row && packed.set(row, i * width));
  return packed;
}
