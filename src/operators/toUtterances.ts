import type { OperatorFunction } from 'rxjs';
import type { SpeakerTurn, Transcript } from '../domain/observation.ts';
import { UNKNOWN_SPEAKER, type Speaker } from '../domain/speaker.ts';
import { dominantSpeaker, splitBySpeaker, toAttributedCue, type AttributedCue } from './attribution.ts';
import { pushBounded } from './bounded.ts';
import type { Signal, SpeechClosed, UtteranceChanged, UtteranceFound } from './signal.ts';
import { coveredBy, overlapMs, totalMs, type Span } from './spans.ts';
import { stage, type Stage } from './stage.ts';
import { createStreams, isSameSpeaker, type Streams } from './streams.ts';

/** The shortest part that a change of speaker may split off, in ms. */
const MIN_PART_MS = 100;
/** Cues, turns and utterances that are remembered to attribute what comes late. */
const MAX_REMEMBERED = 256;

type Place = Pick<UtteranceFound, 'streamId' | 'isAttributed'>;
type Change = Pick<UtteranceChanged, 'speaker' | 'overlaps'>;

/**
 * Emits an utterance with its speaker and its id `u1`, `u2` … for each stretch of speech that closes; ids count in
 * the order of closing, because only what closes is an utterance. The speaker is that of the stream (track or channel),
 * else the diarizer's, else that of the cues that overlap it – the stretch is split where known cues change speaker –
 * else unknown. A cue that comes late makes an utterance its dominant speaker's (`utteranceChanged`, before the cue);
 * a turn that comes late adds to the overlap of others. A cue that no audio stream could carry is an utterance itself
 * and is not passed on. All else passes on. Nothing is held back, so complete and error pass at once.
 */
export function toUtterances(hasTurns: boolean): OperatorFunction<Signal, Signal> {
  return stage(() => new Finder(hasTurns));
}

/** Remembers the cues, turns and utterances that what comes late may change. */
class Finder implements Stage<Signal, Signal> {
  readonly #streams: Streams;
  readonly #cues: AttributedCue[] = [];
  readonly #turns: SpeakerTurn[] = [];
  readonly #recent: UtteranceFound[] = [];
  #utterances = 0;
  #clockMs = 0;

  constructor(hasTurns: boolean) {
    this.#streams = createStreams(hasTurns);
  }

  next(signal: Signal): readonly Signal[] {
    this.#clockMs = Math.max(this.#clockMs, signal.arrivalMs);
    this.#streams.observe(signal);
    if (signal.type === 'speechClosed') return this.#closeSpeech(signal);
    if (signal.type === 'transcript') return this.#hearTranscript(signal);
    if (signal.type === 'speakerTurn' && this.#streams.get(signal.streamId)?.isDiarized)
      return [...this.#hearTurn(signal), signal];
    return [signal];
  }

  #closeSpeech(speech: SpeechClosed): readonly Signal[] {
    const { streamId, stretchId } = speech;
    const last = stretchId === undefined ? {} : { stretchId };
    const own = this.#streams.get(streamId)?.speaker;
    if (own) return [{ ...this.#found(own, speech, { streamId, isAttributed: false }), ...last }];
    if (speech.speaker) {
      const overlaps = this.#overlapsOf(streamId, speech.speaker, speech);
      const found = this.#found(speech.speaker, speech, { streamId, isAttributed: false });
      return [this.#remember({ ...found, ...last, overlaps })];
    }
    const parts = splitBySpeaker(speech, this.#tellingCues(), MIN_PART_MS);
    return parts.map((part, index) => {
      const isLast = index === parts.length - 1;
      const found = this.#found(part.speaker, part, { streamId, isAttributed: true });
      return this.#remember({ ...found, ...(isLast && last) });
    });
  }

  #hearTurn(turn: SpeakerTurn): Signal[] {
    pushBounded(this.#turns, turn, MAX_REMEMBERED);
    return this.#changeRecent((known) => {
      const { utterance, streamId } = known;
      if (streamId !== turn.streamId || known.isAttributed || overlapMs(utterance, turn) === 0) return undefined;
      const overlaps = this.#overlapsOf(turn.streamId, utterance.speaker, utterance);
      return totalMs(overlaps) === totalMs(known.overlaps) ? undefined : { overlaps };
    });
  }

  #hearTranscript(transcript: Transcript): Signal[] {
    const { startMs, endMs } = transcript;
    const speaker = transcript.speaker ?? this.#streams.get(transcript.streamId)?.speaker;
    const text = transcript.text.trim().replace(/\s+/gu, ' ');
    if (text === '') return [];
    if (!this.#hasCarrier(speaker, (startMs + endMs) / 2)) {
      const at = { streamId: null, isAttributed: false };
      return [{ ...this.#found(speaker ?? UNKNOWN_SPEAKER, { startMs, endMs }, at), text }];
    }
    const told = { ...transcript, text, ...(speaker && { speaker }) };
    const cue = toAttributedCue(told);
    if (cue) pushBounded(this.#cues, cue, MAX_REMEMBERED);
    return [...(cue ? this.#reattribute(cue) : []), told];
  }

  /** Whether an audio stream could hold what a speaker says at that time. */
  #hasCarrier(speaker: Speaker | undefined, atMs: number): boolean {
    return this.#streams.audioOf(speaker).some(({ closedAtMs }) => closedAtMs === undefined || atMs <= closedAtMs);
  }

  #reattribute(cue: AttributedCue): Signal[] {
    const telling = this.#tellingCues();
    if (!telling.includes(cue)) return [];
    return this.#changeRecent(({ utterance, isAttributed }) => {
      if (!isAttributed || overlapMs(utterance, cue) === 0) return undefined;
      const speaker = dominantSpeaker(utterance, telling);
      return isSameSpeaker(speaker, utterance.speaker) ? undefined : { speaker };
    });
  }

  /** Cues that may tell who speaks on a mixed stream: those of speakers without a track of their own. */
  #tellingCues(): AttributedCue[] {
    return this.#cues.filter((cue) =>
      this.#streams.audioOf(cue.speaker).every((stream) => stream.speaker === undefined),
    );
  }

  #overlapsOf(streamId: string, speaker: Speaker, span: Span): readonly Span[] {
    const others = this.#turns.filter((turn) => turn.streamId === streamId && turn.speaker.id !== speaker.id);
    return coveredBy(others, span);
  }

  /** Gives recent utterances the speaker or the overlaps that `toChange` finds they have now, and tells of each. */
  #changeRecent(toChange: (known: UtteranceFound) => Change | undefined): Signal[] {
    return this.#recent.flatMap((known, index): Signal[] => {
      const change = toChange(known);
      if (change === undefined) return [];
      const { speaker = known.utterance.speaker, overlaps = known.overlaps } = change;
      this.#recent[index] = { ...known, utterance: { ...known.utterance, speaker }, overlaps };
      return [{ type: 'utteranceChanged', arrivalMs: this.#clockMs, utteranceId: known.utterance.id, ...change }];
    });
  }

  #found(speaker: Speaker, { startMs, endMs }: Span, rest: Place): UtteranceFound {
    const utterance = { id: `u${++this.#utterances}`, speaker, startMs, endMs };
    return { type: 'utteranceFound', arrivalMs: this.#clockMs, utterance, overlaps: [], ...rest };
  }

  #remember(utterance: UtteranceFound): UtteranceFound {
    pushBounded(this.#recent, utterance, MAX_REMEMBERED);
    return utterance;
  }
}
