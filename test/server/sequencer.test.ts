import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createSequencer, type Sequenced } from '../../src/server/ingest/sequencer.ts';

type Piece = { readonly sequence: number; readonly startMs: number };
const piece = (sequence: number): Piece => ({ sequence, startMs: sequence * 20 });
const said = (out: readonly Sequenced<Piece>[]): string[] =>
  out.map((one) => (one.type === 'item' ? String(one.item.sequence) : `gap ${one.missing} to ${one.toMs}`));

describe('createSequencer', () => {
  it('passes on what comes in order at once', () => {
    const sequencer = createSequencer<Piece>();
    expect([0, 1, 2].flatMap((n) => said(sequencer.accept(piece(n), n)))).toEqual(['0', '1', '2']);
    expect(sequencer.next).toBe(3);
  });

  it('holds what comes early until what is missing came, and counts it', () => {
    const sequencer = createSequencer<Piece>();
    expect(said(sequencer.accept(piece(2), 0))).toEqual([]);
    expect(said(sequencer.accept(piece(1), 1))).toEqual([]);
    expect(said(sequencer.accept(piece(0), 2))).toEqual(['0', '1', '2']);
    expect(sequencer.reordered).toBe(2);
  });

  it('drops and counts what comes twice, held or passed on', () => {
    const sequencer = createSequencer<Piece>();
    sequencer.accept(piece(0), 0);
    sequencer.accept(piece(2), 0);
    expect([piece(0), piece(2)].flatMap((one) => said(sequencer.accept(one, 1)))).toEqual([]);
    expect(sequencer.duplicates).toBe(2);
  });

  it('gives up what did not come within a second, and says until when nothing is there', () => {
    const sequencer = createSequencer<Piece>();
    sequencer.accept(piece(0), 0);
    sequencer.accept(piece(3), 100);
    expect(said(sequencer.advance(1_099))).toEqual([]);
    expect(said(sequencer.advance(1_100))).toEqual(['gap 2 to 60', '3']);
    expect(said(sequencer.accept(piece(1), 1_200))).toEqual([]);
  });

  it('gives up the first gap when too much is held', () => {
    const sequencer = createSequencer<Piece>({ reorderMs: 1_000, maxHeld: 2, maxHeldBytes: Infinity });
    const out = [1, 3, 4].map((n) => said(sequencer.accept(piece(n), 0)));
    expect(out).toEqual([[], [], ['gap 1 to 20', '1']]);
  });

  it('gives up the first gap when too many bytes are held, and counts those that were passed on no more', () => {
    const sequencer = createSequencer<Piece>({ reorderMs: 1_000, maxHeld: 256, maxHeldBytes: 250 }, () => 100);
    const out = [0, 2, 3, 4, 6, 7, 8].map((n) => said(sequencer.accept(piece(n), 0)));
    expect(out).toEqual([['0'], [], [], ['gap 1 to 40', '2', '3', '4'], [], [], ['gap 1 to 120', '6', '7', '8']]);
  });

  it('passes on every piece once and in order, however they are shuffled and doubled within the bound', () => {
    const order = fc
      .shuffledSubarray([...Array(30).keys()], { minLength: 30, maxLength: 30 })
      .chain((all) => fc.array(fc.constantFrom(...all), { maxLength: 20 }).map((twice) => [...all, ...twice]));
    fc.assert(
      fc.property(order, (numbers) => {
        const sequencer = createSequencer<Piece>();
        const out = numbers.flatMap((n) => said(sequencer.accept(piece(n), 0)));
        expect(out).toEqual([...Array(30).keys()].map(String));
      }),
    );
  });
});
