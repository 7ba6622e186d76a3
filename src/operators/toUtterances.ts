import type { OperatorFunction } from 'rxjs';
import type { SpeakerTurn, Transcript } from '../domain/observation.ts';
import { UNKNOWN_SPEAKER, type Speaker } from '../domain/speaker.ts';
import { dominantSpeaker, splitBySpeaker, toAttributedCue, type AttributedCue } from './attribution.ts';
import { pushBounded } from './bounded.ts';
import type { Signal, SpeechClosed, UtteranceFound } from './signal.ts';
import { coveredBy, overlapMs, totalMs, type Span } from './spans.ts';
import { stage, type Stage } from './stage.ts';
import { createStreams, isSameSpeaker } from './streams.ts';

/** The shortest part that a change of speaker may split off, in ms. */
const MIN_PART_MS = 100;
/** Cues, turns and utterances that are remembered to attribute what comes late. */
const MAX_REMEMBERED = 256;

/**
 * Emits an utterance with its speaker and its id `u1`, `u2` … for each stretch of speech that closes; ids count in
 * the order of closing, because only what closes is an utterance. The speaker is that of the stream (track or channel),
 * else the diarizer's, else that of the cues that overlap it – the stretch is split where known cues change speaker –
 * else unknown. A cue that comes late makes an utterance its dominant speaker's (`utteranceChanged`, before the cue);
 * a turn that comes late adds to the overlap of others. A cue that no audio stream could carry is an utterance itself
 * and is not passed on. All else passes on. Nothing is held back, so complete and error pass at once.
 */
export function toUtterances(hasTurns: boolean): OperatorFunction<Signal, Signal> {
  return stage(() => createFinder(hasTurns));
}

function createFinder(hasTurns: boolean): Stage<Signal, Signal> {
  const streams = createStreams(hasTurns);
  const cues: AttributedCue[] = [];
  const turns: SpeakerTurn[] = [];
  const recent: UtteranceFound[] = [];
  let utterances = 0;
  let clockMs = 0;

  const found = (
    speaker: Speaker,
    span: Span,
    rest: Pick<UtteranceFound, 'streamId' | 'isAttributed'>,
  ): UtteranceFound => ({
    type: 'utteranceFound',
    arrivalMs: clockMs,
    utterance: { id: `u${++utterances}`, speaker, startMs: span.startMs, endMs: span.endMs },
    overlaps: [],
    ...rest,
  });
  const remember = (utterance: UtteranceFound): UtteranceFound => {
    pushBounded(recent, utterance, MAX_REMEMBERED);
    return utterance;
  };
  /** Cues that may tell who speaks on a mixed stream: those of speakers without a track of their own. */
  const tellingCues = (): AttributedCue[] =>
    cues.filter((cue) => streams.audioOf(cue.speaker).every((stream) => stream.speaker === undefined));
  const overlapsOf = (streamId: string, speaker: Speaker, span: Span): readonly Span[] => {
    const others = turns.filter((turn) => turn.streamId === streamId && turn.speaker.id !== speaker.id);
    return coveredBy(others, span);
  };

  const closeSpeech = (speech: SpeechClosed): UtteranceFound[] => {
    const { streamId } = speech;
    const last = speech.stretchId === undefined ? {} : { stretchId: speech.stretchId };
    const own = streams.get(streamId)?.speaker;
    if (own) return [{ ...found(own, speech, { streamId, isAttributed: false }), ...last }];
    if (speech.speaker) {
      const overlaps = overlapsOf(streamId, speech.speaker, speech);
      return [remember({ ...found(speech.speaker, speech, { streamId, isAttributed: false }), ...last, overlaps })];
    }
    const parts = splitBySpeaker(speech, tellingCues(), MIN_PART_MS);
    return parts.map((part, index) => {
      const isLast = index === parts.length - 1;
      return remember({ ...found(part.speaker, part, { streamId, isAttributed: true }), ...(isLast && last) });
    });
  };

  const hearTurn = (turn: SpeakerTurn): Signal[] => {
    pushBounded(turns, turn, MAX_REMEMBERED);
    return recent.flatMap((known, index): Signal[] => {
      const { utterance, streamId, overlaps } = known;
      if (streamId !== turn.streamId || known.isAttributed || overlapMs(utterance, turn) === 0) return [];
      const now = overlapsOf(turn.streamId, utterance.speaker, utterance);
      if (totalMs(now) === totalMs(overlaps)) return [];
      recent[index] = { ...known, overlaps: now };
      return [{ type: 'utteranceChanged', arrivalMs: clockMs, utteranceId: utterance.id, overlaps: now }];
    });
  };

  const reattribute = (cue: AttributedCue): Signal[] => {
    const telling = tellingCues();
    if (!telling.includes(cue)) return [];
    return recent.flatMap((known, index): Signal[] => {
      if (!known.isAttributed || overlapMs(known.utterance, cue) === 0) return [];
      const speaker = dominantSpeaker(known.utterance, telling);
      if (isSameSpeaker(speaker, known.utterance.speaker)) return [];
      recent[index] = { ...known, utterance: { ...known.utterance, speaker } };
      return [{ type: 'utteranceChanged', arrivalMs: clockMs, utteranceId: known.utterance.id, speaker }];
    });
  };

  const hearTranscript = (transcript: Transcript): Signal[] => {
    const { startMs, endMs } = transcript;
    const speaker = transcript.speaker ?? streams.get(transcript.streamId)?.speaker;
    const text = transcript.text.trim().replace(/\s+/gu, ' ');
    if (text === '') return [];
    const midMs = (startMs + endMs) / 2;
    const carriers = streams
      .audioOf(speaker)
      .filter(({ closedAtMs }) => closedAtMs === undefined || midMs <= closedAtMs);
    if (carriers.length === 0) {
      return [
        { ...found(speaker ?? UNKNOWN_SPEAKER, { startMs, endMs }, { streamId: null, isAttributed: false }), text },
      ];
    }
    const told = { ...transcript, text, ...(speaker && { speaker }) };
    const cue = toAttributedCue(told);
    if (cue) pushBounded(cues, cue, MAX_REMEMBERED);
    return [...(cue ? reattribute(cue) : []), told];
  };

  return {
    next: (signal) => {
      clockMs = Math.max(clockMs, signal.arrivalMs);
      streams.observe(signal);
      if (signal.type === 'speechClosed') return closeSpeech(signal);
      if (signal.type === 'transcript') return hearTranscript(signal);
      if (signal.type === 'speakerTurn' && streams.get(signal.streamId)?.isDiarized) {
        return [...hearTurn(signal), signal];
      }
      return [signal];
    },
  };
}
