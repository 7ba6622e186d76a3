import { describe, expect, it } from 'vitest';
import type { Decoder } from '../../../../adapters/asr/pocketsphinx/library.ts';
import { createSpareDecoders, REFILL_MS } from '../../../../adapters/asr/pocketsphinx/spareDecoders.ts';

/** Spare decoders on a clock that is moved by hand; `fails` says which decoders, counted from 1, cannot be made. */
function spares(fails: (count: number) => boolean = () => false) {
  const freed: number[] = [];
  let made = 0;
  let timer: { readonly ms: number; readonly callback: () => void } | undefined;
  const create = async (): Promise<Decoder> => {
    const count = ++made;
    if (fails(count)) throw new Error('no memory');
    return { hypothesis: () => `${count}`, free: async () => void freed.push(count) } as Decoder;
  };
  const after = (ms: number, callback: () => void) => {
    timer = { ms, callback };
    return () => (timer = undefined);
  };
  const spare = createSpareDecoders(create, after);
  return {
    spare,
    freed,
    made: () => made,
    take: async () => (await spare.take()).hypothesis(),
    waits: () => timer?.ms,
    pass: () => timer?.callback(),
  };
}

describe('createSpareDecoders', () => {
  it('makes a decoder for whoever asks, and none more, until it is told to keep some', async () => {
    const { take, made, pass } = spares();
    expect([await take(), await take()]).toEqual(['1', '2']);
    pass();
    expect(made()).toBe(2);
  });

  it('gives the spare ones first, each once, then new ones', async () => {
    const { spare, take, made } = spares();
    await spare.keep(2);
    expect(made()).toBe(2);
    expect([await take(), await take(), await take()]).toEqual(['1', '2', '3']);
  });

  it('makes others in the place of those taken, once nobody came for a while', async () => {
    const { spare, take, made, waits, pass } = spares();
    await spare.keep(2);
    expect(waits()).toBeUndefined();
    await take();
    await take();
    expect([waits(), made()]).toEqual([REFILL_MS, 2]);
    pass();
    await spare.keep(2);
    expect(made()).toBe(4);
    expect(await take()).toBe('3');
  });

  it('makes one at a time, however often it is told to', async () => {
    const { spare, made } = spares();
    const kept = [spare.keep(3), spare.keep(3)];
    expect(made()).toBe(1);
    await Promise.all(kept);
    expect(made()).toBe(3);
  });

  it('gives who comes while a spare one is being made that one', async () => {
    const { spare, take, made } = spares();
    const kept = spare.keep(1);
    const taken = take();
    expect(made()).toBe(1);
    expect(await taken).toBe('1');
    await kept;
  });

  it('goes on when a spare one cannot be made, and tries again after the next was taken', async () => {
    const { spare, take, made, pass } = spares((count) => count === 1);
    await spare.keep(1);
    expect(await take()).toBe('2');
    pass();
    expect(made()).toBe(3);
    expect(await take()).toBe('3');
  });

  it('tells whoever asked that a decoder cannot be made', async () => {
    const { take } = spares(() => true);
    await expect(take()).rejects.toThrow('no memory');
  });

  it('frees the spare ones when it is closed, those that are being made too, and makes none for later', async () => {
    const { spare, take, freed, made, waits } = spares();
    await spare.keep(1);
    await take();
    const kept = spare.keep(2);
    await spare.close();
    await kept;
    expect(freed).toEqual([2]);
    expect([waits(), made()]).toEqual([undefined, 2]);
    await spare.close();
  });
});
