import type { DeepgramWord } from './messages.ts';

/** A final word on the stream's clock, and whose it is. */
export type SpokenWord = {
  readonly text: string;
  readonly startMs: number;
  readonly endMs: number;
  readonly confidence?: number;
  readonly label?: string;
};

/** Who the speaker numbers of this connection are, and what is needed to recognize them in the next. */
export type SpeakerLabels = {
  readonly byNumber: ReadonlyMap<number, string>;
  /** Labels given in the stream so far: S1 … Sn. */
  readonly count: number;
  /** The last final words, at most {@link MAX_RECENT_WORDS}. */
  readonly recent: readonly SpokenWord[];
};

/** The most speakers of a stream that get a label; the words of later ones have none. */
export const MAX_SPEAKERS = 64;
/** The most words kept for recognizing speakers again. */
export const MAX_RECENT_WORDS = 100;
/** Nobody has spoken yet. */
export const NO_SPEAKERS: SpeakerLabels = { byNumber: new Map(), count: 0, recent: [] };

/** Forgets the numbers, which mean nothing in the next connection, and keeps the labels and the last words. */
export function withoutNumbers(labels: SpeakerLabels): SpeakerLabels {
  return { ...labels, byNumber: new Map() };
}

/**
 * Returns labels that know the speakers of words heard for the second time, in sound that was sent again after a
 * reconnect: a number is whoever spoke most of the same time before. Two numbers are never the same label.
 */
export function recognizeSpeakers(labels: SpeakerLabels, repeated: readonly DeepgramWord[]): SpeakerLabels {
  const votes: { number: number; label: string; ms: number }[] = [];
  for (const { speaker, startMs, endMs } of repeated) {
    if (speaker === undefined || labels.byNumber.has(speaker)) continue;
    for (const known of labels.recent) {
      const ms = Math.min(endMs, known.endMs) - Math.max(startMs, known.startMs);
      if (known.label === undefined || ms <= 0) continue;
      const vote = votes.find(({ number, label }) => number === speaker && label === known.label);
      if (vote === undefined) votes.push({ number: speaker, label: known.label, ms });
      else vote.ms += ms;
    }
  }
  const byNumber = new Map(labels.byNumber);
  const taken = new Set(byNumber.values());
  for (const { number, label } of votes.sort((a, b) => b.ms - a.ms)) {
    if (byNumber.has(number) || taken.has(label)) continue;
    byNumber.set(number, label);
    taken.add(label);
  }
  return { ...labels, byNumber };
}

/** Gives each number of `words` that is not known a new label, never a guessed old one. */
export function nameSpeakers(labels: SpeakerLabels, words: readonly DeepgramWord[]): SpeakerLabels {
  const byNumber = new Map(labels.byNumber);
  let { count } = labels;
  for (const { speaker } of words) {
    if (speaker === undefined || byNumber.has(speaker) || count >= MAX_SPEAKERS) continue;
    count += 1;
    byNumber.set(speaker, `S${count}`);
  }
  return { ...labels, byNumber, count };
}

/** Keeps the last words, for {@link recognizeSpeakers}. */
export function rememberWords(labels: SpeakerLabels, words: readonly SpokenWord[]): SpeakerLabels {
  return { ...labels, recent: [...labels.recent, ...words].slice(-MAX_RECENT_WORDS) };
}
