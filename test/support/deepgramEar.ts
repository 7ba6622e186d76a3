/** A word of the script, on the clock of the sound, and whose it is. */
export type PeerWord = {
  readonly text: string;
  readonly startMs: number;
  readonly endMs: number;
  readonly speaker: number;
};

/** Hears what a connection is given, 10 ms at a time, and says what Deepgram would. Times count from the connection's start. */
export type DeepgramEar = {
  readonly hear: (bytes: Buffer) => readonly object[];
  readonly finalize: (isAsked: boolean) => readonly object[];
  readonly metadata: () => object;
};

/** Whether utterances end with `speech_final`, and whether speakers are told apart. */
export type EarHabits = { readonly hasSpeechFinal: boolean; readonly tellsSpeakers: boolean };

type Heard = { readonly index: number; readonly startMs: number; endMs: number };

const LEVEL = 50; // 16-bit steps between the levels of two words
const ENDPOINTING_MS = 300;
const UTTERANCE_END_MS = 1_000;
const SEGMENT_MS = 3_000;
const INTERIM_MS = 250;

/**
 * The sound of a script, 16 kHz: each word is a constant level of its own, the rest is silence. So a peer hears words by the
 * sound alone, wherever a connection begins, and a word of which half was sent is half a word.
 */
export function toSound(script: readonly PeerWord[], durationMs: number): Float32Array {
  const samples = new Float32Array(durationMs * 16);
  script.forEach(({ startMs, endMs }, index) => {
    samples.fill(((index + 1) * LEVEL) / 32_767, startMs * 16, endMs * 16);
  });
  return samples;
}

/** Creates the ear of one connection: speaker numbers begin at 0, in the order in which they are heard. */
export function createDeepgramEar(script: readonly PeerWord[], habits: EarHabits): DeepgramEar {
  const { hasSpeechFinal, tellsSpeakers } = habits;
  const numbers = new Map<number, number>();
  let nowMs = 0;
  let segmentMs = 0;
  let words: Heard[] = [];
  let lastWordMs: number | null = null; // of an utterance that has not been ended
  let saidMs = 0;

  const numberOf = (speaker: number): number => {
    if (!numbers.has(speaker)) numbers.set(speaker, numbers.size);
    return numbers.get(speaker) ?? 0;
  };
  const toWord = ({ index, startMs, endMs }: Heard): object => {
    const word = script[index];
    const isHalf = word !== undefined && endMs - startMs < word.endMs - word.startMs - 10;
    return {
      word: (word?.text ?? '').toLowerCase().replace(/\W/gu, ''),
      punctuated_word: isHalf ? `${word.text}-` : word?.text,
      start: startMs / 1_000,
      end: endMs / 1_000,
      confidence: 0.9,
      ...(tellsSpeakers && { speaker: numberOf(word?.speaker ?? 0) }),
    };
  };
  const results = (flags: object): object => {
    const told = words.map(toWord);
    const transcript = words.map(({ index }) => script[index]?.text).join(' ');
    return {
      type: 'Results',
      channel_index: [0, 1],
      start: segmentMs / 1_000,
      duration: (nowMs - segmentMs) / 1_000,
      ...flags,
      channel: { alternatives: [{ transcript, confidence: 0.9, words: told }] },
      metadata: { request_id: 'r', model_info: { name: 'peer', version: '1', arch: 'peer' }, model_uuid: 'm' },
    };
  };
  const close = (flags: object): object => {
    const message = results({ is_final: true, ...flags });
    segmentMs = nowMs;
    words = [];
    saidMs = nowMs;
    return message;
  };
  const listen = (bytes: Buffer): boolean => {
    const level = bytes.readInt16LE(bytes.length - 2);
    const index = level > 0 && level % LEVEL === 0 ? level / LEVEL - 1 : -1;
    const isWord = script[index] !== undefined;
    nowMs += bytes.length / 32;
    if (!isWord) return false;
    const last = words.at(-1);
    if (last?.index === index) last.endMs = nowMs;
    else words.push({ index, startMs: nowMs - bytes.length / 32, endMs: nowMs });
    lastWordMs = nowMs;
    return true;
  };
  return {
    hear: (bytes) => {
      const isWord = listen(bytes);
      const quietMs = nowMs - (words.at(-1)?.endMs ?? nowMs);
      if (hasSpeechFinal && quietMs >= ENDPOINTING_MS) return [close({ speech_final: true })];
      if (lastWordMs !== null && nowMs - lastWordMs >= UTTERANCE_END_MS) {
        const end = {
          type: 'UtteranceEnd',
          channel: [0, 1],
          last_word_end: words.length > 0 ? lastWordMs / 1_000 : -1,
        };
        lastWordMs = null;
        return [...(words.length > 0 ? [close({ speech_final: false })] : []), end];
      }
      if (!isWord && nowMs - segmentMs >= SEGMENT_MS) return [close({ speech_final: false })];
      if (words.length === 0 || nowMs - saidMs < INTERIM_MS) return [];
      saidMs = nowMs;
      return [results({ is_final: false, speech_final: false }), { type: 'SpeechStarted', channel: [0], timestamp: 0 }];
    },
    finalize: (isAsked) =>
      nowMs === segmentMs ? [] : [close({ speech_final: false, ...(isAsked && { from_finalize: true }) })],
    metadata: () => ({ type: 'Metadata', request_id: 'r', created: '', duration: nowMs / 1_000, channels: 1 }),
  };
}
