import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { MissingReason } from '../../src/domain/modality.ts';
import type { VoiceActivity } from '../../src/domain/observation.ts';
import { DEFAULT_ENDPOINTING } from '../../src/operators/endpointer.ts';
import { endpointing } from '../../src/operators/endpointing.ts';
import type { Signal } from '../../src/operators/signal.ts';
import { ADA, BEN, FRAME_MS, opened, turn } from '../support/scriptedCall.ts';
import { describeOperator, marbles, outputOf } from './operatorContract.ts';

describeOperator('endpointing', () => endpointing(DEFAULT_ENDPOINTING, false));

/** Frames of these probabilities in blocks of `blockFrames`, from `fromMs`. */
function frames(probabilities: readonly number[], streamId = 'a', fromMs = 0, blockFrames = 1): VoiceActivity[] {
  const blocks: VoiceActivity[] = [];
  for (let at = 0; at < probabilities.length; at += blockFrames) {
    const speech = Float32Array.from(probabilities.slice(at, at + blockFrames));
    const startMs = fromMs + at * FRAME_MS;
    const arrivalMs = startMs + speech.length * FRAME_MS;
    const samples = new Float32Array(0);
    blocks.push({
      type: 'voice',
      arrivalMs,
      streamId,
      startMs,
      samples,
      speech,
      speechStartMs: startMs,
      frameMs: FRAME_MS,
    });
  }
  return blocks;
}
const of = (count: number, probability: number): number[] => Array.from({ length: count }, () => probability);
const SPEECH = 0.9;
const tick = (arrivalMs: number): Signal => ({ type: 'time', arrivalMs });
const interrupted = (arrivalMs: number, reason: MissingReason): Signal => ({
  type: 'streamInterrupted',
  arrivalMs,
  streamId: 'a',
  reason,
});
const restored = (arrivalMs: number): Signal => ({ type: 'streamRestored', arrivalMs, streamId: 'a' });
const PAUSE = of(16, 0.1);

/** `opened 0`, `closed 0 320`, `dropped`, in order. */
function story(signals: readonly Signal[], streamId = 'a'): string[] {
  return outputOf(endpointing(DEFAULT_ENDPOINTING, false), signals).flatMap((signal) => {
    if (!('streamId' in signal) || signal.streamId !== streamId) return [];
    if (signal.type === 'speechOpened') return [`opened ${signal.startMs}`];
    if (signal.type === 'speechClosed') return [`closed ${signal.startMs} ${signal.endMs}`];
    return signal.type === 'speechDropped' ? ['dropped'] : [];
  });
}

describe('endpointing', () => {
  it('opens at the first frame of speech and closes when the pause is as long as the gap.', () => {
    expect(story(frames([...of(2, 0.1), ...of(10, SPEECH), ...PAUSE]))).toEqual(['opened 64', 'closed 64 384']);
  });

  it('says when speech closes: 500 ms after its end, on the session clock.', () => {
    const out = outputOf(endpointing(DEFAULT_ENDPOINTING, false), frames([...of(10, SPEECH), ...of(30, 0.1)]));
    expect(out.find((signal) => signal.type === 'speechClosed')?.arrivalMs).toBe(320 + 512);
  });

  it('needs 0.5 to begin but goes on down to 0.35.', () => {
    expect(story(frames([...of(5, 0.45), ...PAUSE]))).toEqual([]);
    expect(story(frames([...of(5, 0.5), ...of(5, 0.4), ...PAUSE]))).toEqual(['opened 0', 'closed 0 320']);
    expect(story(frames([...of(5, 0.5), ...of(5, 0.3), ...PAUSE]))).toEqual(['opened 0', 'closed 0 160']);
  });

  it('does not take up speech again for less than it takes to begin.', () => {
    const lull = [...of(5, SPEECH), ...of(3, 0.1), ...of(5, 0.45), ...PAUSE];
    expect(story(frames(lull))).toEqual(['opened 0', 'closed 0 160']);
  });

  it('bridges a pause shorter than the gap.', () => {
    const twice = [...of(5, SPEECH), ...of(15, 0.1), ...of(5, SPEECH), ...PAUSE];
    expect(story(frames(twice))).toEqual(['opened 0', 'closed 0 800']);
  });

  it('drops what is shorter than the least speech, even when it is two clicks apart.', () => {
    expect(story(frames([...of(3, SPEECH), ...PAUSE]))).toEqual(['opened 0', 'dropped']);
    expect(story(frames([SPEECH, ...of(10, 0.1), SPEECH, ...PAUSE]))).toEqual(['opened 0', 'dropped']);
    expect(story(frames([...of(4, SPEECH), ...PAUSE]))).toEqual(['opened 0', 'closed 0 128']);
  });

  it('cuts speech longer than 12 s in the middle of the quietest frame of its last 3 s.', () => {
    const long = of(500, SPEECH);
    long[100] = 0.4;
    long[320] = 0.6;
    const cutMs = 320.5 * FRAME_MS;
    expect(story(frames([...long, ...PAUSE]))).toEqual([
      'opened 0',
      `closed 0 ${cutMs}`,
      `opened ${cutMs}`,
      `closed ${cutMs} 16000`,
    ]);
  });

  it('cuts at the maximum when no frame is quieter than another.', () => {
    const out = story(frames([...of(500, SPEECH), ...PAUSE]));
    expect(out).toEqual(['opened 0', 'closed 0 12000', 'opened 12000', 'closed 12000 16000']);
  });

  it('keeps streams apart whose blocks come in turns.', () => {
    const ada = frames([...of(10, SPEECH), ...PAUSE]);
    const ben = frames([...of(5, 0.1), ...of(10, SPEECH), ...PAUSE], 'b');
    const both = [...ada, ...ben].sort((x, y) => x.arrivalMs - y.arrivalMs);
    expect(story(both)).toEqual(story(ada));
    expect(story(both, 'b')).toEqual(['opened 160', 'closed 160 480']);
  });

  it('closes what is open when the stream closes and when the session ends.', () => {
    const closed: Signal = { type: 'streamClosed', arrivalMs: 320, streamId: 'a', reason: 'track_ended' };
    expect(story([opened('a', 'audio', ADA), ...frames(of(10, SPEECH)), closed])).toEqual(['opened 0', 'closed 0 320']);
    expect(story(frames(of(10, SPEECH)))).toEqual(['opened 0', 'closed 0 320']);
  });

  it('drops what is open when the source fails.', () => {
    marbles(({ cold, expectObservable }) => {
      const [block] = frames(of(10, SPEECH), 'a', 0, 10);
      const out$ = cold<Signal>('a-----#', { a: block as Signal }).pipe(endpointing(DEFAULT_ENDPOINTING, false));
      const at = { arrivalMs: 320, streamId: 'a' };
      const o: Signal = { type: 'speechOpened', ...at, stretchId: 'v1', startMs: 0 };
      const u: Signal = { type: 'endpointed', ...at, untilMs: 320 };
      expectObservable(out$).toBe('(aou)-#', { a: block as Signal, o, u });
    });
  });

  it('closes speech of a stream that delivers nothing more, by the clock of the others.', () => {
    const stalled = frames(of(10, SPEECH));
    const other = frames(of(60, 0.1), 'b', 320);
    const out = outputOf(endpointing(DEFAULT_ENDPOINTING, false), [...stalled, ...other]);
    const closed = out.filter((signal) => signal.type === 'speechClosed');
    expect(closed.map(({ endMs, arrivalMs }) => [endMs, arrivalMs])).toEqual([[320, 1824]]);
  });

  it('keeps speech of an interrupted stream open for 15 s, so that what is sent again continues it.', () => {
    const back = frames(of(10, SPEECH), 'a', 640).map((block) => ({ ...block, arrivalMs: block.arrivalMs + 14_000 }));
    const silence = frames(PAUSE, 'a', 960).map((block) => ({ ...block, arrivalMs: block.arrivalMs + 14_000 }));
    const told = [...frames(of(20, SPEECH)), interrupted(700, 'disconnected'), tick(15_699)];
    expect(story([...told, restored(15_699), ...back, ...silence])).toEqual(['opened 0', 'closed 0 960']);
    expect(story([...told, tick(15_700)])).toEqual(['opened 0', 'closed 0 640']);
  });

  it('does not wait for a stream that was restored and stays silent, nor for one that is muted.', () => {
    const silent = [...frames(of(20, SPEECH)), interrupted(700, 'stalled'), tick(9_000), restored(9_000)];
    const muted = [...frames(of(20, SPEECH)), interrupted(700, 'muted')];
    const ticks = Array.from({ length: 200 }, (_, n) => tick(1_000 + n * 100));
    const closedAtMs = (signals: readonly Signal[]): number | undefined => {
      const inOrder = [...signals, ...ticks].toSorted((a, b) => a.arrivalMs - b.arrivalMs);
      const out = outputOf(endpointing(DEFAULT_ENDPOINTING, false), [opened('a', 'audio', ADA), ...inOrder]);
      return out.find((signal) => signal.type === 'speechClosed')?.arrivalMs;
    };
    expect(closedAtMs(silent)).toBe(10_500);
    expect(closedAtMs(muted)).toBe(2_200);
    expect(closedAtMs([...frames(of(20, SPEECH)), interrupted(700, 'disconnected')])).toBe(15_700);
    expect(closedAtMs(frames(of(20, SPEECH)))).toBe(2_200);
  });

  it('closes held speech when its stream closes or the session ends.', () => {
    const held = [...frames(of(20, SPEECH)), interrupted(700, 'disconnected'), tick(5_000)];
    const out = outputOf(endpointing(DEFAULT_ENDPOINTING, false), [opened('a', 'audio', ADA), ...held]);
    expect(out.at(-1)).toMatchObject({ type: 'speechClosed', startMs: 0, endMs: 640 });
    expect(story([...held, { type: 'streamClosed', arrivalMs: 5_001, streamId: 'a', reason: 'disconnected' }])).toEqual(
      ['opened 0', 'closed 0 640'],
    );
  });

  it('does not take a stream that is always late for one that has stopped.', () => {
    const late = frames([...of(100, SPEECH), ...PAUSE]).map((block) => ({
      ...block,
      arrivalMs: block.arrivalMs + 5_000,
    }));
    expect(story(late)).toEqual(['opened 0', 'closed 0 3200']);
  });

  it('ignores frames it has heard and takes missing ones for a pause.', () => {
    const ten = frames(of(10, SPEECH));
    expect(story([...ten, ...ten, ...frames(PAUSE, 'a', 320)])).toEqual(['opened 0', 'closed 0 320']);
    expect(story([...ten, ...frames(of(10, SPEECH), 'a', 5_000)])).toEqual([
      'opened 0',
      'closed 0 320',
      'opened 5000',
      'closed 5000 5320',
    ]);
  });

  it('leaves mixed streams to the diarizer from its first turn on, but not streams of one speaker.', () => {
    const talk = frames([...of(10, SPEECH), ...PAUSE], 'a', 1_000);
    expect(story([opened('a', 'audio'), ...frames(of(10, SPEECH)), turn(0, 320, BEN, 'a'), ...talk])).toEqual([
      'opened 0',
      'dropped',
    ]);
    expect(story([opened('a', 'audio', ADA), turn(0, 320, BEN, 'a'), ...talk])).toEqual([
      'opened 1000',
      'closed 1000 1320',
    ]);
    const out = outputOf(endpointing(DEFAULT_ENDPOINTING, true), [opened('a', 'audio'), ...talk]);
    expect(out.some((signal) => signal.type === 'speechOpened')).toBe(false);
  });

  it('finds the same speech in blocks of any size, ordered, apart and never longer than the maximum.', () => {
    const probability = fc.constantFrom(0.05, 0.3, 0.4, 0.6, 0.95);
    const run = fc.tuple(probability, fc.integer({ min: 1, max: 200 })).map(([p, count]) => of(count, p));
    fc.assert(
      fc.property(fc.array(run, { maxLength: 12 }), fc.integer({ min: 1, max: 40 }), (runs, blockFrames) => {
        const one = story(frames(runs.flat()));
        expect(story(frames(runs.flat(), 'a', 0, blockFrames))).toEqual(one);
        let lastMs = 0;
        for (const line of one.filter((some) => some.startsWith('closed'))) {
          const [startMs = NaN, endMs = NaN] = line.split(' ').slice(1).map(Number);
          expect(startMs).toBeGreaterThanOrEqual(lastMs);
          expect(endMs - startMs).toBeLessThanOrEqual(12_000);
          expect(endMs - startMs).toBeGreaterThanOrEqual(0);
          lastMs = endMs;
        }
      }),
      { numRuns: 60 },
    );
  });

  it('is shifted when all times are.', () => {
    const talk = [...of(10, SPEECH), ...PAUSE];
    expect(story(frames(talk, 'a', 10_000))).toEqual(['opened 10000', 'closed 10000 10320']);
  });

  it.each([
    ['gapMs', 0],
    ['minSpeechMs', -1],
    ['maxMs', NaN],
    ['startProbability', 1.5],
    ['endProbability', 0.6],
    ['cutWindowMs', 12_000],
    ['minSpeechMs', 12_000],
  ])('refuses %s = %d, naming it.', (name, value) => {
    const create = (): unknown => endpointing({ ...DEFAULT_ENDPOINTING, [name]: value }, false);
    expect(create).toThrow(RangeError);
    expect(create).toThrow(new RegExp(`^${name} must be`, 'u'));
  });
});
