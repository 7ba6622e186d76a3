/** A word as Deepgram tells it. Times are ms of its connection; `speaker` counts from 0 in each connection. */
export type DeepgramWord = {
  readonly text: string;
  readonly startMs: number;
  readonly endMs: number;
  readonly confidence?: number;
  readonly speaker?: number;
};

/** A `Results` message: what was heard from `startMs` to `endMs`. */
export type DeepgramResults = {
  readonly type: 'results';
  readonly startMs: number;
  readonly endMs: number;
  /** The words will not change any more. */
  readonly isFinal: boolean;
  /** The utterance is over: the speaker paused, or we asked. */
  readonly isSpeechFinal: boolean;
  readonly words: readonly DeepgramWord[];
  readonly language?: string;
};

/** What of a message matters to us. `other` is a type that we do not use, or that does not exist yet. */
export type DeepgramMessage =
  | DeepgramResults
  | { readonly type: 'utteranceEnd' }
  | { readonly type: 'metadata' }
  | { readonly type: 'other' }
  | { readonly type: 'malformed'; readonly rule: string };

/** The most words of one message; a minute of the fastest speech has fewer. */
export const MAX_WORDS = 1_000;
/** The most characters of one word, or of the transcript of a message without words. */
export const MAX_WORD_LENGTH = 20_000;

/**
 * Returns what a message says. Total: whatever JSON it is given, it returns, and says `malformed` of a message of a known
 * type that breaks a rule. A rule names fields, never what they hold.
 * Source: developers.deepgram.com/reference/speech-to-text/listen-streaming.
 */
export function parseDeepgramMessage(payload: unknown): DeepgramMessage {
  if (!isRecord(payload)) return malformed('a message must be a JSON object');
  switch (payload['type']) {
    case 'Results':
      return parseResults(payload);
    case 'UtteranceEnd':
      return { type: 'utteranceEnd' };
    case 'Metadata':
      return { type: 'metadata' };
    default:
      return { type: 'other' };
  }
}

function parseResults(payload: Record<string, unknown>): DeepgramMessage {
  const { start, duration, channel } = payload;
  if (!isSeconds(start) || !isSeconds(duration)) return malformed('start and duration must be seconds');
  const alternatives = isRecord(channel) ? channel['alternatives'] : undefined;
  if (!Array.isArray(alternatives)) return malformed('channel.alternatives must be a list');
  const best: unknown = alternatives[0] ?? {};
  if (!isRecord(best)) return malformed('an alternative must be an object');
  const startMs = toMs(start);
  const endMs = toMs(start + duration);
  const words = parseWords(best, startMs, endMs);
  if (typeof words === 'string') return malformed(words);
  const isFinal = payload['is_final'] === true;
  const isSpeechFinal = isFinal && (payload['speech_final'] === true || payload['from_finalize'] === true);
  const language = toLanguage(best['languages']);
  return {
    type: 'results',
    startMs,
    endMs,
    isFinal,
    isSpeechFinal,
    words,
    ...(language !== undefined && { language }),
  };
}

/** The words, or the rule that they break. A transcript without words counts as one word. */
function parseWords(best: Record<string, unknown>, startMs: number, endMs: number): DeepgramWord[] | string {
  const { transcript, words } = best;
  if (words === undefined || (Array.isArray(words) && words.length === 0)) {
    if (transcript === undefined) return [];
    if (typeof transcript !== 'string' || transcript.length > MAX_WORD_LENGTH)
      return 'a transcript must be a short text';
    const text = toPlain(transcript);
    return text === '' ? [] : [{ text, startMs, endMs }];
  }
  if (!Array.isArray(words) || words.length > MAX_WORDS) return `words must be a list of at most ${MAX_WORDS}`;
  const parsed = words.map(parseWord);
  return parsed.every((word) => word !== null)
    ? parsed.filter(({ text }) => text !== '')
    : 'a word must have text and times';
}

function parseWord(word: unknown): DeepgramWord | null {
  if (!isRecord(word)) return null;
  const { start, end, confidence, speaker } = word;
  const text = word['punctuated_word'] ?? word['word'];
  if (typeof text !== 'string' || text.length > MAX_WORD_LENGTH || !isSeconds(start) || !isSeconds(end)) return null;
  return {
    text: toPlain(text),
    startMs: toMs(start),
    endMs: Math.max(toMs(start), toMs(end)),
    ...(typeof confidence === 'number' && { confidence: Math.min(1, Math.max(0, confidence)) }),
    ...(typeof speaker === 'number' && Number.isSafeInteger(speaker) && speaker >= 0 && { speaker }),
  };
}

function toLanguage(languages: unknown): string | undefined {
  const first: unknown = Array.isArray(languages) ? languages[0] : undefined;
  return typeof first === 'string' && /^[a-z]{2,3}(-[a-z0-9]{2,8})*$/iu.test(first) ? first : undefined;
}

function malformed(rule: string): DeepgramMessage {
  return { type: 'malformed', rule };
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** A day bounds every time, so that sums stay exact. */
function isSeconds(value: unknown): value is number {
  return typeof value === 'number' && value >= 0 && value <= 86_400;
}

function toMs(seconds: number): number {
  return Math.round(seconds * 1_000);
}

function toPlain(text: string): string {
  return text.replace(/\s+/gu, ' ').trim();
}
