import { describe, expect, it } from 'vitest';
import { createTurnstile, decodersAtOnce } from '../../../../adapters/asr/pocketsphinx/turnstile.ts';

describe('createTurnstile', () => {
  it('lets so many run at once, the others in their order, also after one failed', async () => {
    const turnstile = createTurnstile(2);
    const log: string[] = [];
    const releases: (() => void)[] = [];
    const work = (name: string): Promise<void> =>
      turnstile(async () => {
        log.push(name);
        await new Promise<void>((resolve) => releases.push(resolve));
        if (name === 'a') throw new Error('a fails');
      });
    const all = ['a', 'b', 'c', 'd'].map((name) => work(name).catch(() => log.push(`${name} failed`)));
    await Promise.resolve();
    expect(log).toEqual(['a', 'b']);
    while (releases.length > 0) {
      releases.shift()?.();
      for (let tick = 0; tick < 10; tick++) await Promise.resolve();
    }
    await Promise.all(all);
    expect(log).toEqual(['a', 'b', 'c', 'a failed', 'd']);
  });

  it('serves two streams in turn', async () => {
    const turnstile = createTurnstile(1);
    const log: string[] = [];
    const stream = async (name: string): Promise<void> => {
      for (let block = 0; block < 3; block++) await turnstile(async () => void log.push(name));
    };
    await Promise.all([stream('a'), stream('b')]);
    expect(log.slice(0, 4)).toEqual(['a', 'b', 'a', 'b']);
  });
});

describe('decodersAtOnce', () => {
  it.each([
    [undefined, 2],
    ['1', 1],
    ['3', 1],
    ['16', 8],
    ['0', 1],
    ['many', 1],
    ['999999', 512],
  ] as const)('is half of the pool of %s threads, and one at least: %s', (size, atOnce) => {
    expect(decodersAtOnce(size)).toBe(atOnce);
  });
});
