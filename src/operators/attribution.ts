import type { Transcript } from '../domain/observation.ts';
import { UNKNOWN_SPEAKER, type Speaker } from '../domain/speaker.ts';
import { overlapMs, type Span } from './spans.ts';

/** A caption cue that says who speaks. */
export type AttributedCue = Span & { readonly speaker: Speaker };

/** Part of a stretch of speech that is attributed to one speaker. */
export type AttributedSpan = Span & { readonly speaker: Speaker };

/** Narrows a transcript to a cue with a speaker and a length; undefined when it has not both. */
export function toAttributedCue({ speaker, startMs, endMs }: Transcript): AttributedCue | undefined {
  return speaker && endMs > startMs ? { speaker, startMs, endMs } : undefined;
}

/** The speaker whose cues overlap `span` longest (the earliest of equals); UNKNOWN_SPEAKER when none does. */
export function dominantSpeaker(span: Span, cues: readonly AttributedCue[]): Speaker {
  const talk = new Map<string, { speaker: Speaker; ms: number }>();
  for (const cue of cues) {
    const ms = overlapMs(cue, span);
    if (ms > 0) talk.set(cue.speaker.id, { speaker: cue.speaker, ms: (talk.get(cue.speaker.id)?.ms ?? 0) + ms });
  }
  let dominant: { speaker: Speaker; ms: number } | undefined;
  for (const candidate of talk.values()) {
    if (dominant === undefined || candidate.ms > dominant.ms) dominant = candidate;
  }
  return dominant?.speaker ?? UNKNOWN_SPEAKER;
}

/** Speech without a cue for longer than this may be anybody's: cues begin late and end early by less [our decision]. */
const MAX_UNCUED_MS = 3_000;

/**
 * Splits `span` where its cues change speaker: half-way between the end of one speaker's cue and the beginning of the
 * next one's. More than 3 s that no cue covers are a part of their own, whose speaker is unknown. A cue that lies within another one (a backchannel) splits nothing, nor does a boundary that would leave
 * less than `minMs` on either side. The parts are in order and cover `span`; each goes to its dominant speaker.
 */
export function splitBySpeaker(span: Span, cues: readonly AttributedCue[], minMs: number): readonly AttributedSpan[] {
  const ordered = cues.filter((cue) => overlapMs(cue, span) > 0).sort((a, b) => a.startMs - b.startMs);
  const boundaries: number[] = [];
  let current: AttributedCue | undefined;
  for (const cue of ordered) {
    if (current && cue.endMs <= current.endMs) continue;
    const sinceMs: number = current?.endMs ?? span.startMs;
    if (cue.startMs - sinceMs > MAX_UNCUED_MS) boundaries.push(sinceMs, cue.startMs);
    else if (current && cue.speaker.id !== current.speaker.id) boundaries.push((current.endMs + cue.startMs) / 2);
    current = cue;
  }
  if (current && span.endMs - current.endMs > MAX_UNCUED_MS) boundaries.push(current.endMs);
  const parts: Span[] = [];
  let startMs = span.startMs;
  for (const boundaryMs of boundaries) {
    if (boundaryMs - startMs < minMs || span.endMs - boundaryMs < minMs) continue;
    parts.push({ startMs, endMs: boundaryMs });
    startMs = boundaryMs;
  }
  parts.push({ startMs, endMs: span.endMs });
  return parts.map((part) => ({ ...part, speaker: dominantSpeaker(part, ordered) }));
}
