import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { mergeMoments, type Moment, pace } from '../../../src/app/replay/timeline.ts';

/** A source of moments at these times that remembers how often it was pulled and whether it was closed. */
function source(times: readonly number[], name = '') {
  const state = { pulled: 0, isClosed: false };
  const moments = async function* (): AsyncGenerator<Moment> {
    try {
      for (const atMs of times) {
        state.pulled += 1;
        yield { atMs, observations: [{ type: 'camera', arrivalMs: atMs, streamId: name, isOn: true }] };
      }
    } finally {
      state.isClosed = true;
    }
  };
  return { state, moments: moments() };
}

async function list(moments: AsyncIterable<Moment>): Promise<Moment[]> {
  const all: Moment[] = [];
  for await (const moment of moments) all.push(moment);
  return all;
}

const nameOf = (moment: Moment | undefined): string | undefined => {
  const observation = moment?.observations[0];
  return observation?.type === 'camera' ? observation.streamId : undefined;
};

describe('mergeMoments', () => {
  it('yields nothing for no sources and for sources without moments.', async () => {
    expect(await list(mergeMoments([]))).toEqual([]);
    expect(await list(mergeMoments([source([]).moments, source([]).moments]))).toEqual([]);
  });

  it('yields the moments of all sources in order of time, and at the same time in order of the sources.', async () => {
    const merged = await list(
      mergeMoments([
        source([100, 300, 300], 'a').moments,
        source([100, 200, 300], 'b').moments,
        source([0], 'c').moments,
      ]),
    );
    expect(merged.map((moment) => `${moment.atMs}${nameOf(moment)}`)).toEqual([
      '0c',
      '100a',
      '100b',
      '200b',
      '300a',
      '300a',
      '300b',
    ]);
  });

  it('keeps every moment, once, in order, whatever the sources hold.', async () => {
    const times = fc.array(fc.nat(1_000), { maxLength: 20 }).map((some) => some.sort((a, b) => a - b));
    await fc.assert(
      fc.asyncProperty(fc.array(times, { maxLength: 5 }), async (sources) => {
        const merged = await list(mergeMoments(sources.map((some) => source(some).moments)));
        expect(merged.map(({ atMs }) => atMs)).toEqual(sources.flat().sort((a, b) => a - b));
      }),
    );
  });

  it('holds one moment of each source and pulls the next only when that one was taken.', async () => {
    const [slow, fast] = [source([1_000, 2_000, 3_000]), source([1, 2, 3, 4, 5, 6])];
    const merged = mergeMoments([slow.moments, fast.moments]);
    await merged.next();
    expect([slow.state.pulled, fast.state.pulled]).toEqual([1, 1]);
    await merged.next();
    await merged.next();
    expect([slow.state.pulled, fast.state.pulled]).toEqual([1, 3]);
    await merged.return(undefined);
  });

  it('closes every source when it is left early.', async () => {
    const sources = [source([1, 2, 3]), source([1, 2, 3]), source([5])];
    for await (const moment of mergeMoments(sources.map(({ moments }) => moments))) if (moment.atMs === 2) break;
    expect(sources.map(({ state }) => state.isClosed)).toEqual([true, true, true]);
  });

  it('closes every other source when one fails, and fails with its error.', async () => {
    const other = source([1, 2, 3, 400]);
    const failing = async function* (): AsyncGenerator<Moment> {
      yield { atMs: 2, observations: [] };
      throw new Error('the disk is gone');
    };
    await expect(list(mergeMoments([other.moments, failing()]))).rejects.toThrow('the disk is gone');
    expect(other.state.isClosed).toBe(true);
  });
});

/** A clock that stands still but for `sleep`, which moves it, and for what the test adds. */
function virtualPacer() {
  const state = { nowMs: 5_000, slept: [] as number[] };
  const sleep = async (ms: number): Promise<void> => {
    state.slept.push(ms);
    state.nowMs += ms;
  };
  return { state, pacer: { nowMs: () => state.nowMs, sleep } };
}

describe('pace', () => {
  it('lets session time run as fast as wall time at speed 1, and four times as fast at speed 4.', async () => {
    for (const [speed, slept] of [
      [1, [1_000, 1_500, 500]],
      [4, [250, 375, 125]],
    ] as const) {
      const { state, pacer } = virtualPacer();
      await list(pace(source([0, 1_000, 2_500, 3_000]).moments, speed, pacer));
      expect(state.slept).toEqual(slept);
    }
  });

  it('does not wait at speed max.', async () => {
    const { state, pacer } = virtualPacer();
    expect(await list(pace(source([0, 60_000]).moments, 'max', pacer))).toHaveLength(2);
    expect(state.slept).toEqual([]);
  });

  it('waits less after a slow step, so that delays do not add up.', async () => {
    const { state, pacer } = virtualPacer();
    for await (const moment of pace(source([1_000, 2_000, 3_000]).moments, 1, pacer))
      if (moment.atMs === 1_000) state.nowMs += 1_700;
    expect(state.slept).toEqual([1_000, 300]);
  });

  it('never yields a moment before its time, at any speed.', async () => {
    const times = fc.array(fc.nat(10_000), { maxLength: 20 }).map((some) => some.sort((a, b) => a - b));
    await fc.assert(
      fc.asyncProperty(times, fc.double({ min: 0.1, max: 1_000, noNaN: true }), async (some, speed) => {
        const { state, pacer } = virtualPacer();
        for await (const { atMs } of pace(source(some).moments, speed, pacer))
          expect(state.nowMs - 5_000).toBeGreaterThanOrEqual(atMs / speed - 1);
      }),
    );
  });

  it('closes the source when it is left early.', async () => {
    const { state, moments } = source([1, 2, 3]);
    for await (const _ of pace(moments, 'max', virtualPacer().pacer)) break;
    expect(state.isClosed).toBe(true);
  });
});
