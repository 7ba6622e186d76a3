import type { MissingReason, Modality } from '../domain/modality.ts';
import type { StreamKind, VisualFrame } from '../domain/observation.ts';
import type { Speaker } from '../domain/speaker.ts';
import { setBounded } from './bounded.ts';
import type { Signal } from './signal.ts';
import { isSameSpeaker } from './streams.ts';

/** The modalities that pictures show. */
export type Visual = Extract<Modality, 'face' | 'body'>;
/** Each {@link Visual}. */
export const VISUAL: readonly Visual[] = ['face', 'body'];

/**
 * What is known of a face or a body at a moment. `reason`: why it cannot be read; absent when it can, or when `source` is
 * `nothing` (it is too early to say). `source`: the latest picture, the camera (`no_video`), the stream (it was
 * interrupted or stalls), or that nobody reads its pictures (`reader`).
 */
export type SightState = {
  readonly source: 'picture' | 'nothing' | 'reader' | 'stream' | 'camera';
  readonly reason?: MissingReason;
};

/** What the pictures of a session show at the moment. */
export type Sight = {
  /** Takes note of a signal; false when no state can have changed by it. */
  observe(signal: Signal): boolean;
  /** The first time after `clockMs` at which a state may change because nothing comes. */
  nextStaleMs(clockMs: number): number;
  /** The best that any stream that shows `speaker` (or everybody) says at `clockMs`. */
  stateOf(modality: Visual, speaker: Speaker, clockMs: number): SightState;
};

/** No picture for this long means that none come: extractors lower their rate to 2 a second at most. */
const STALE_MS = 2_000;
const MAX_STREAMS = 512;
/** People that one stream shows. */
const MAX_SHOWN = 64;
/** From what tells most to what tells least. */
const RANK: Readonly<Record<SightState['source'], number>> = {
  picture: 1,
  nothing: 2,
  reader: 3,
  stream: 4,
  camera: 5,
};

type Seen = { readonly arrivalMs: number; readonly reason: MissingReason | undefined };
type Source = {
  readonly kind: StreamKind;
  readonly speaker: Speaker | undefined;
  /** The latest of each modality and person. */
  readonly latest: Map<string, Seen>;
  readonly read: Set<Visual>;
  isOn: boolean;
  interruptedBy: MissingReason | undefined;
  sinceMs: number;
};

/** Returns the sight of a session without streams; `extracts`: what our extractor reads of video streams. */
export function createSight(extracts: ReadonlySet<Visual>): Sight {
  const sources = new Map<string, Source>();
  const opened = ({ streamId, kind, speaker, arrivalMs }: Extract<Signal, { type: 'streamOpened' }>): void => {
    const state = { isOn: true, interruptedBy: undefined, sinceMs: arrivalMs };
    const source: Source = { kind, speaker, latest: new Map(), read: new Set(), ...state };
    if (isShowing(kind)) setBounded(sources, streamId, source, MAX_STREAMS);
  };
  const change = (signal: { streamId: string; arrivalMs: number }, to: Partial<Source>): void => {
    const source = sources.get(signal.streamId);
    if (source === undefined) return;
    Object.assign(source, to, { sinceMs: signal.arrivalMs });
    source.latest.clear();
  };
  return {
    observe: (signal) => {
      if (signal.type === 'voice' || signal.type === 'endpointed') return false;
      if (signal.type === 'visual') return show(sources.get(signal.streamId), signal);
      if (signal.type === 'streamOpened') opened(signal);
      else if (signal.type === 'camera') {
        if (sources.get(signal.streamId)?.isOn !== signal.isOn) change(signal, { isOn: signal.isOn });
      } else if (signal.type === 'streamClosed') change(signal, { isOn: false, interruptedBy: undefined });
      else if (signal.type === 'streamInterrupted') change(signal, { interruptedBy: signal.reason });
      else if (signal.type === 'streamRestored') change(signal, { interruptedBy: undefined });
      return true;
    },
    nextStaleMs: (clockMs) => {
      let nextMs = Infinity;
      for (const { sinceMs, latest } of sources.values())
        for (const fromMs of [sinceMs, ...[...latest.values()].map(({ arrivalMs }) => arrivalMs)])
          if (fromMs + STALE_MS > clockMs) nextMs = Math.min(nextMs, fromMs + STALE_MS);
      return nextMs;
    },
    stateOf: (modality, speaker, clockMs) => {
      let best: SightState = { source: 'camera', reason: 'no_video' };
      for (const source of sources.values()) {
        if (source.kind !== 'video' && source.kind !== modality) continue;
        if (source.speaker && !isSameSpeaker(source.speaker, speaker)) continue;
        const state = stateOf(source, { modality, speaker, clockMs, isExtracted: extracts.has(modality) });
        if (rankOf(state) < rankOf(best)) best = state;
      }
      return best;
    },
  };
}

/** Takes note of a picture; false when it shows what the one before showed, not long ago. */
function show(source: Source | undefined, frame: VisualFrame): boolean {
  if (source === undefined) return false;
  const { modality, speaker, arrivalMs } = frame;
  source.read.add(modality);
  const key = keyOf(modality, source.speaker ? undefined : speaker);
  const before = source.latest.get(key);
  const reason = reasonOf(frame);
  setBounded(source.latest, key, { arrivalMs, reason }, 2 * MAX_SHOWN);
  return before === undefined || before.reason !== reason || arrivalMs - before.arrivalMs >= STALE_MS;
}

/** Why nothing can be read of a picture; undefined when it can. A row without `valid` shows nobody. */
export function reasonOf({ row, reason, modality }: VisualFrame): MissingReason | undefined {
  if (row !== undefined && row.at(-1) === 1) return undefined;
  return reason ?? (modality === 'face' ? 'no_face' : 'no_body');
}

type Question = { modality: Visual; speaker: Speaker; clockMs: number; isExtracted: boolean };

function stateOf(source: Source, { modality, speaker, clockMs, isExtracted }: Question): SightState {
  if (source.interruptedBy !== undefined) return { source: 'stream', reason: source.interruptedBy };
  if (!source.isOn) return { source: 'camera', reason: 'no_video' };
  const own = source.speaker ? undefined : source.latest.get(keyOf(modality, speaker));
  const seen = own ?? source.latest.get(keyOf(modality, undefined));
  const isRead = isExtracted || source.read.has(modality) || source.kind !== 'video';
  if (!isRead) return { source: 'reader', reason: 'no_extractor' };
  if (clockMs - (seen?.arrivalMs ?? source.sinceMs) >= STALE_MS) return { source: 'stream', reason: 'stalled' };
  if (seen === undefined) return { source: 'nothing' };
  return { source: 'picture', ...(seen.reason !== undefined && { reason: seen.reason }) };
}

function rankOf({ source, reason }: SightState): number {
  return source === 'picture' && reason === undefined ? 0 : RANK[source];
}

function isShowing(kind: StreamKind): boolean {
  return kind === 'video' || kind === 'face' || kind === 'body';
}

function keyOf(modality: Visual, speaker: Speaker | undefined): string {
  return `${modality} ${speaker?.id ?? ''}`;
}
