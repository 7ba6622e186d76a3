import { requirePositive } from './bounded.ts';
import type { Span } from './spans.ts';

/** When speech begins and ends. Probabilities in [0, 1], times in ms; defaults in {@link DEFAULT_ENDPOINTING}. */
export type EndpointingSettings = {
  /** Speech begins at a frame of at least this probability … */
  readonly startProbability: number;
  /** … and goes on while frames have at least this one. */
  readonly endProbability: number;
  /** Less speech than this is no utterance. */
  readonly minSpeechMs: number;
  /** A pause of this length ends an utterance. */
  readonly gapMs: number;
  /** No utterance is longer. */
  readonly maxMs: number;
  /** A longer one is cut at the quietest frame of this last part. */
  readonly cutWindowMs: number;
};

/** Usual endpointing: 500 ms of pause end an utterance, 12 s are the most. */
export const DEFAULT_ENDPOINTING: EndpointingSettings = {
  startProbability: 0.5,
  endProbability: 0.35,
  minSpeechMs: 100,
  gapMs: 500,
  maxMs: 12_000,
  cutWindowMs: 3_000,
};

/** A voice activity frame: its place in session time and the probability that it holds speech. */
export type Frame = Span & { readonly probability: number };

/** What one frame changed: speech began, ended (after a pause or by a cut), or turned out too short to count. */
export type EndpointEvent =
  | { readonly type: 'opened'; readonly startMs: number }
  | ({ readonly type: 'closed'; readonly isCut: boolean } & Span)
  | { readonly type: 'dropped' };

/** The endpointing of one stream. Holds at most the frames of `maxMs`. */
export type Endpointer = {
  /** Takes the next frame; frames come in order and may leave holes. */
  next(frame: Frame): readonly EndpointEvent[];
  /** Ends speech that is still going on. */
  end(): readonly EndpointEvent[];
  /** Has speech opened that neither closed nor was dropped? */
  isOpen(): boolean;
};

/** Checks endpointing settings and returns them. @throws RangeError naming setting, rule and value. */
export function checkEndpointing(settings: EndpointingSettings): EndpointingSettings {
  requirePositive(settings);
  const { startProbability, endProbability, cutWindowMs, maxMs, minSpeechMs } = settings;
  if (startProbability > 1) throw new RangeError(`startProbability must be at most 1, got ${startProbability}`);
  if (endProbability > startProbability) {
    throw new RangeError(`endProbability must be at most startProbability, got ${endProbability}`);
  }
  if (cutWindowMs >= maxMs) throw new RangeError(`cutWindowMs must be less than maxMs, got ${cutWindowMs}`);
  if (minSpeechMs >= maxMs) throw new RangeError(`minSpeechMs must be less than maxMs, got ${minSpeechMs}`);
  return settings;
}

/** Returns the endpointing of one stream, in silence. */
export function createEndpointer(settings: EndpointingSettings): Endpointer {
  const { startProbability, endProbability, minSpeechMs, gapMs, maxMs } = settings;
  let stretch: { startMs: number; endMs: number; isSpeaking: boolean; frames: Frame[] } | undefined;

  const speechMs = (frames: readonly Frame[]): number =>
    frames.reduce((sum, f) => sum + (f.probability >= endProbability ? f.endMs - f.startMs : 0), 0);

  const end = (): readonly EndpointEvent[] => {
    if (stretch === undefined) return [];
    const { startMs, endMs, frames } = stretch;
    stretch = undefined;
    return speechMs(frames) >= minSpeechMs ? [{ type: 'closed', startMs, endMs, isCut: false }] : [{ type: 'dropped' }];
  };

  const cut = (): readonly EndpointEvent[] => {
    if (stretch === undefined || stretch.endMs - stretch.startMs < maxMs) return [];
    const { startMs, endMs, frames } = stretch;
    const cutMs = quietestMs(frames, startMs, settings);
    stretch = { startMs: cutMs, endMs, isSpeaking: true, frames: frames.filter((f) => f.startMs >= cutMs) };
    return [
      { type: 'closed', startMs, endMs: cutMs, isCut: true },
      { type: 'opened', startMs: cutMs },
    ];
  };

  return {
    next: (frame) => {
      const events: EndpointEvent[] = [];
      if (stretch && frame.startMs - stretch.endMs >= gapMs) events.push(...end());
      if (stretch === undefined) {
        if (frame.probability < startProbability) return events;
        stretch = { startMs: frame.startMs, endMs: frame.endMs, isSpeaking: true, frames: [frame] };
        return [...events, { type: 'opened', startMs: frame.startMs }];
      }
      stretch.isSpeaking = frame.probability >= (stretch.isSpeaking ? endProbability : startProbability);
      stretch.frames.push(frame);
      if (stretch.isSpeaking) stretch.endMs = frame.endMs;
      return [...events, ...(frame.endMs - stretch.endMs >= gapMs ? end() : cut())];
    },
    end,
    isOpen: () => stretch !== undefined,
  };
}

/**
 * Where speech longer than `maxMs` is cut: the middle of the frame of least probability (the latest of equals) within
 * `cutWindowMs` before the maximum; the maximum itself when no frame there is quieter than another.
 */
export function quietestMs(frames: readonly Frame[], startMs: number, settings: EndpointingSettings): number {
  const limitMs = startMs + settings.maxMs;
  const window = frames.filter((f) => f.startMs >= limitMs - settings.cutWindowMs && f.endMs <= limitMs);
  let quietest: Frame | undefined;
  let highest = 0;
  for (const frame of window) {
    highest = Math.max(highest, frame.probability);
    if (quietest === undefined || frame.probability <= quietest.probability) quietest = frame;
  }
  if (quietest === undefined || quietest.probability >= highest) return limitMs;
  return (quietest.startMs + quietest.endMs) / 2;
}
