import type { OperatorFunction } from 'rxjs';
import type { SpeakerSummary, SummaryInsight } from '../domain/insight.ts';
import { MODALITIES, perModality, type PerModality } from '../domain/modality.ts';
import { UNKNOWN_SPEAKER, type Speaker } from '../domain/speaker.ts';
import { pushBounded, setBounded } from './bounded.ts';
import type { Classified } from './classify.ts';
import type { UtteranceDraft } from './predictions.ts';
import type { InsightDraft } from './signal.ts';
import { stage, type Stage } from './stage.ts';

/** The most that a summary lists of a speaker's utterances. */
const MAX_TRAJECTORY = 2_000;
/** Speakers beyond these are counted as unknown. */
const MAX_SPEAKERS = 512;
/** Final utterances that may still change speaker. */
const MAX_RECENT = 256;

type Point = { readonly id: string; readonly startMs: number; readonly label: string; readonly confidence: number };

type Part = {
  readonly speaker: Speaker;
  talkMs: number;
  utterances: number;
  readonly labelMs: Map<string, number>;
  readonly availableMs: Map<string, number>;
  readonly trajectory: Point[];
};

/**
 * Emits each insight, counts, and when the session ended the `summary`, instead of `sessionEnded`: talk time, shares of
 * emotions by talk time, the last 2,000 labels and mean availability of each speaker who spoke, from final answers.
 * Whoever gets a name (`speaker`) is one speaker, under both. An utterance that changes speaker or text after it was final is counted as it was told last. Words that were dropped are
 * counted, not passed on. A session that fails has no summary.
 */
export function summarize(): OperatorFunction<Classified, InsightDraft> {
  return stage(createSummary);
}

function createSummary(): Stage<Classified, InsightDraft> {
  const parts = new Map<string, Part>();
  const recent = new Map<string, UtteranceDraft>();
  const names = new Map<string, Speaker>();
  let droppedWords = 0;
  let faults = 0;

  const partOf = (speaker: Speaker): Part => {
    const named = names.get(speaker.id) ?? speaker;
    const whose = parts.size < MAX_SPEAKERS || parts.has(named.id) ? named : UNKNOWN_SPEAKER;
    const known = parts.get(whose.id);
    if (known) return known;
    const part = { ...EMPTY, speaker: whose, labelMs: new Map(), availableMs: new Map(), trajectory: [] };
    parts.set(whose.id, part);
    return part;
  };
  /** Who was known as `speakerId` is `speaker`: what was counted of both is of one from now on. */
  const rename = (speakerId: string, speaker: Speaker): void => {
    for (const [id, known] of names) if (known.id === speakerId) names.set(id, speaker);
    setBounded(names, speakerId, speaker, MAX_SPEAKERS);
    const part = parts.get(speakerId);
    if (part === undefined || speakerId === speaker.id) return;
    parts.delete(speakerId);
    const other = parts.get(speaker.id);
    parts.set(speaker.id, other ? joined(other, part) : { ...part, speaker });
  };
  const count = (final: UtteranceDraft): void => {
    const before = recent.get(final.utteranceId);
    if (before) add(partOf(before.speaker), before, -1);
    add(partOf(final.speaker), final, 1);
    setBounded(recent, final.utteranceId, { ...final, text: null }, MAX_RECENT);
  };

  return {
    next: (classified) => {
      if (classified.type === 'wordsDropped') {
        droppedWords += classified.count;
        return [];
      }
      if (classified.type === 'sessionEnded') {
        const speakers = [...parts.values()].filter((part) => part.utterances > 0).map(toSpeakerSummary);
        return [toSummary(classified.arrivalMs, speakers, droppedWords, faults)];
      }
      if (classified.type === 'speaker') rename(classified.speakerId, classified.speaker);
      if (classified.type === 'fault') faults++;
      if (classified.type === 'utterance' && (classified.status === 'final' || recent.has(classified.utteranceId)))
        count(classified);
      return [classified];
    },
  };
}

const EMPTY: Pick<Part, 'talkMs' | 'utterances'> = { talkMs: 0, utterances: 0 };

/** Adds an utterance to a speaker's part (`sign` 1), or takes it out again (-1). */
function add(part: Part, { utteranceId: id, startMs, endMs, ...final }: UtteranceDraft, sign: 1 | -1): void {
  const ms = sign * (endMs - startMs);
  part.talkMs += ms;
  part.utterances += sign;
  part.labelMs.set(final.label, (part.labelMs.get(final.label) ?? 0) + ms);
  for (const modality of MODALITIES) {
    const availableMs = final.availability[modality].share * ms;
    part.availableMs.set(modality, (part.availableMs.get(modality) ?? 0) + availableMs);
  }
  if (sign === -1) {
    const at = part.trajectory.findIndex((point) => point.id === id);
    if (at >= 0) part.trajectory.splice(at, 1);
  } else
    pushBounded(part.trajectory, { id, startMs, label: final.label, confidence: final.confidence }, MAX_TRAJECTORY);
}

/** What was counted of one speaker, and of the same speaker under another name. */
function joined(part: Part, other: Part): Part {
  const sum = (a: ReadonlyMap<string, number>, b: ReadonlyMap<string, number>): Map<string, number> =>
    new Map([...new Set([...a.keys(), ...b.keys()])].map((key) => [key, (a.get(key) ?? 0) + (b.get(key) ?? 0)]));
  return {
    speaker: part.speaker,
    talkMs: part.talkMs + other.talkMs,
    utterances: part.utterances + other.utterances,
    labelMs: sum(part.labelMs, other.labelMs),
    availableMs: sum(part.availableMs, other.availableMs),
    trajectory: [...part.trajectory, ...other.trajectory]
      .toSorted((a, b) => a.startMs - b.startMs)
      .slice(-MAX_TRAJECTORY),
  };
}

function toSpeakerSummary({ speaker, talkMs, utterances, labelMs, availableMs, trajectory }: Part): SpeakerSummary {
  const share = (ms: number): number => (talkMs > 0 ? ms / talkMs : 0);
  const availability: PerModality<number> = perModality((modality) => share(availableMs.get(modality) ?? 0));
  const shares = [...labelMs].filter(([, ms]) => ms > 0).map(([label, ms]) => [label, share(ms)] as const);
  const inOrder = trajectory.toSorted((a, b) => a.startMs - b.startMs);
  return {
    speaker,
    talkMs,
    utterances,
    emotionShares: Object.fromEntries(shares),
    trajectory: inOrder.map(({ startMs, label, confidence }) => ({ startMs, label, confidence })),
    availability,
  };
}

function toSummary(
  atMs: number,
  speakers: readonly SpeakerSummary[],
  droppedWords: number,
  faults: number,
): Omit<SummaryInsight, 'seq'> {
  const utterances = speakers.reduce((sum, speaker) => sum + speaker.utterances, 0);
  return { type: 'summary', atMs, durationMs: atMs, utterances, speakers, droppedWords, faults };
}
