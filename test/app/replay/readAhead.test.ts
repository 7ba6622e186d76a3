import { setImmediate } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { readAhead } from '../../../src/app/replay/readAhead.ts';

/** Counts from 0; `made` is how far, `state.isClosed` whether it was left. */
function createCounter(until: number, error?: Error) {
  const state = { made: 0, isClosed: false };
  const source = async function* (): AsyncGenerator<number> {
    try {
      while (state.made < until) yield state.made++;
      if (error) throw error;
    } finally {
      state.isClosed = true;
    }
  };
  return { state, source: source() };
}
async function collect(source: AsyncIterable<number>): Promise<number[]> {
  const all: number[] = [];
  for await (const one of source) all.push(one);
  return all;
}

describe('readAhead', () => {
  it('yields everything in order, of none, one and many.', async () => {
    for (const count of [0, 1, 25]) {
      const expected = Array.from({ length: count }, (_, i) => i);
      expect(await collect(readAhead(createCounter(count).source, 4))).toEqual(expected);
    }
  });

  it('pulls so many ahead of its reader, and no more; nothing before it is read.', async () => {
    const { state, source } = createCounter(100);
    const reader = readAhead(source, 4);
    await setImmediate();
    expect(state.made).toBe(0);
    expect(await reader.next()).toEqual({ value: 0, done: false });
    await setImmediate();
    expect(state.made).toBe(5);
    await reader.next();
    await setImmediate();
    expect(state.made).toBe(6);
    await reader.return(undefined);
  });

  it('lets several sources work at the same time.', async () => {
    const waiting: (() => void)[] = [];
    const slow = async function* (): AsyncGenerator<number> {
      for (let n = 0; n < 3; n++) {
        await new Promise<void>((resolve) => waiting.push(resolve));
        yield n;
      }
    };
    const readers = [readAhead(slow(), 2), readAhead(slow(), 2)];
    const firsts = Promise.all(readers.map((reader) => reader.next()));
    await setImmediate();
    expect(waiting).toHaveLength(2);
    for (const release of waiting.splice(0)) release();
    await firsts;
    await setImmediate();
    expect(waiting).toHaveLength(2);
    const left = Promise.all(readers.map((reader) => reader.return(undefined)));
    while (waiting.length > 0 || !(await Promise.race([left.then(() => true), setImmediate(false)])))
      for (const release of waiting.splice(0)) release();
  });

  it('hands on a failure in its place, and closes the source however it is left.', async () => {
    const failing = createCounter(2, new Error('broken'));
    const reader = readAhead(failing.source, 5);
    expect([(await reader.next()).value, (await reader.next()).value]).toEqual([0, 1]);
    await expect(reader.next()).rejects.toThrow('broken');
    expect(failing.state.isClosed).toBe(true);
    const left = createCounter(100);
    for await (const _ of readAhead(left.source, 3)) break;
    expect([left.state.isClosed, left.state.made]).toEqual([true, 4]);
  });
});
