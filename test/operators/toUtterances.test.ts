import { describe, expect, it } from 'vitest';
import type { Speaker } from '../../src/domain/speaker.ts';
import type { Signal, SpeechClosed } from '../../src/operators/signal.ts';
import { toUtterances } from '../../src/operators/toUtterances.ts';
import { ADA, BEN, cue, opened, turn } from '../support/scriptedCall.ts';
import { describeOperator, marbles, outputOf } from './operatorContract.ts';

describeOperator('toUtterances', () => toUtterances(false));

const CAROL: Speaker = { id: 'carol', name: 'Carol', source: 'captions' };
const MIXED = opened('mixed', 'audio');
const closed = (startMs: number, endMs: number, speaker?: Speaker, streamId = 'mixed'): SpeechClosed => ({
  type: 'speechClosed',
  arrivalMs: endMs + 500,
  streamId,
  stretchId: 's',
  startMs,
  endMs,
  ...(speaker && { speaker }),
});
/** `u1 Ada 0 1000`, and for changes `u1 is Ben` or `u1 overlaps 500`. */
function story(signals: readonly Signal[], hasTurns = false): string[] {
  return outputOf(toUtterances(hasTurns), signals).flatMap((signal) => {
    if (signal.type === 'utteranceFound') {
      const { id, speaker, startMs, endMs } = signal.utterance;
      const shared = signal.overlaps.map((span) => ` overlaps ${span.startMs}-${span.endMs}`);
      return [`${id} ${speaker.name} ${startMs} ${endMs}${shared.join('')}`];
    }
    if (signal.type !== 'utteranceChanged') return [];
    const shared = signal.overlaps?.map((span) => ` overlaps ${span.startMs}-${span.endMs}`) ?? [];
    return [`${signal.utteranceId}${signal.speaker ? ` is ${signal.speaker.name}` : ''}${shared.join('')}`];
  });
}

describe('toUtterances', () => {
  it('attributes the speech of a track to its speaker, and counts in the order of closing.', () => {
    const tracks = [opened('a', 'audio', ADA), opened('b', 'audio', BEN)];
    expect(story([...tracks, closed(500, 900, undefined, 'b'), closed(0, 1_000, undefined, 'a')])).toEqual([
      'u1 Ben 500 900',
      'u2 Ada 0 1000',
    ]);
  });

  it('replaces speech by the utterance at the same moment.', () => {
    marbles(({ cold, expectObservable }) => {
      const o: Signal = opened('a', 'audio', ADA);
      const s: Signal = closed(0, 1_000, undefined, 'a');
      const u: Signal = {
        type: 'utteranceFound',
        arrivalMs: 1_500,
        utterance: { id: 'u1', speaker: ADA, startMs: 0, endMs: 1_000 },
        streamId: 'a',
        isAttributed: false,
        overlaps: [],
        stretchId: 's',
      };
      expectObservable(cold<Signal>('o-s-#', { o, s }).pipe(toUtterances(false))).toBe('o-u-#', { o, u });
    });
  });

  it('does not know who speaks on a mixed stream when nobody says.', () => {
    expect(story([MIXED, closed(0, 1_000)])).toEqual(['u1 unknown 0 1000']);
  });

  it('lets known cues attribute and split the speech of a mixed stream.', () => {
    const cues = [cue(0, 2_000, 'one', ADA), cue(2_100, 4_000, 'two', BEN)];
    expect(story([MIXED, ...cues, closed(0, 4_100)])).toEqual(['u1 Ada 0 2050', 'u2 Ben 2050 4100']);
    const ends = outputOf(toUtterances(false), [MIXED, ...cues, closed(0, 4_100)]).flatMap((s) =>
      s.type === 'utteranceFound' ? [s.stretchId] : [],
    );
    expect(ends).toEqual([undefined, 's']);
  });

  it('lets a late cue attribute an utterance, before the cue passes, and the longer one win.', () => {
    const signals = [MIXED, closed(0, 4_000), cue(0, 1_000, 'one', ADA, 5_000), cue(1_000, 4_000, 'two', BEN, 6_000)];
    expect(story(signals)).toEqual(['u1 unknown 0 4000', 'u1 is Ada', 'u1 is Ben']);
    const types = outputOf(toUtterances(false), signals).map((signal) => signal.type);
    expect(types.slice(2, 4)).toEqual(['utteranceChanged', 'transcript']);
  });

  it('says nothing when a late cue confirms what is known.', () => {
    const again = [MIXED, cue(0, 1_000, 'one', ADA), closed(0, 2_000), cue(1_000, 2_000, 'two', ADA, 4_000)];
    expect(story(again)).toEqual(['u1 Ada 0 2000']);
  });

  it('does not attribute mixed speech by the cues of someone who has a track.', () => {
    expect(story([MIXED, opened('a', 'audio', ADA), cue(0, 1_000, 'one', ADA), closed(0, 1_000)])).toEqual([
      'u1 unknown 0 1000',
    ]);
  });

  it('keeps what the diarizer says and measures what others talk over.', () => {
    const signals = [
      MIXED,
      turn(1_000, 1_500, BEN),
      turn(0, 2_000, ADA),
      closed(0, 2_000, ADA),
      closed(1_000, 1_500, BEN),
    ];
    expect(story(signals, true)).toEqual(['u1 Ada 0 2000 overlaps 1000-1500', 'u2 Ben 1000 1500 overlaps 1000-1500']);
  });

  it('learns from a late turn that an utterance was talked over, once.', () => {
    const late = [MIXED, turn(0, 2_000, ADA), closed(0, 2_000, ADA), turn(1_500, 4_000, BEN), turn(1_600, 1_900, BEN)];
    expect(story(late, true)).toEqual(['u1 Ada 0 2000', 'u1 overlaps 1500-2000']);
  });

  it('makes a cue an utterance when there is no audio that could carry it, and keeps it from others.', () => {
    expect(story([opened('captions', 'captions'), cue(0, 1_000, ' hi ', CAROL)])).toEqual(['u1 Carol 0 1000']);
    const [, found] = outputOf(toUtterances(false), [opened('a', 'audio', ADA), cue(0, 1_000, ' hi\n you ', CAROL)]);
    expect(found).toMatchObject({
      type: 'utteranceFound',
      streamId: null,
      text: 'hi you',
      utterance: { speaker: CAROL },
    });
  });

  it('passes a cue to the words when audio could carry it: of the speaker by name, or mixed.', () => {
    const adaInCaptions: Speaker = { id: 'c-ada', name: ' ADA ', source: 'captions' };
    expect(story([opened('a', 'audio', ADA), cue(0, 1_000, 'hi', adaInCaptions), cue(0, 1_000, 'hi')])).toEqual([]);
    expect(story([MIXED, cue(0, 1_000, 'hi', CAROL)])).toEqual([]);
  });

  it('goes on with cues when the audio has ended.', () => {
    const gone: Signal = { type: 'streamClosed', arrivalMs: 5_000, streamId: 'a', reason: 'decode_error' };
    const signals = [opened('a', 'audio', ADA), gone, cue(4_000, 5_500, 'heard', ADA), cue(6_000, 7_000, 'read', ADA)];
    expect(story(signals)).toEqual(['u1 Ada 6000 7000']);
  });

  it('takes the speaker of a captions stream for cues that name none.', () => {
    expect(story([opened('captions', 'captions', CAROL), cue(0, 1_000, 'hi')])).toEqual(['u1 Carol 0 1000']);
  });

  it('does nothing with a cue that has no words.', () => {
    expect(outputOf(toUtterances(false), [cue(0, 1_000, ' \n', CAROL)])).toEqual([]);
  });
});
