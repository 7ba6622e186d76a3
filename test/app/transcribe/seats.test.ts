import { describe, expect, it } from 'vitest';
import { createSeats, type Holder, type Seats } from '../../../src/app/transcribe/seats.ts';
import { createFakeRecognizer, type FakeRecognizer } from '../../support/fakeRecognizer.ts';

const roomFor = (maxStreams: number): FakeRecognizer => createFakeRecognizer('fake', undefined, { maxStreams });

/** Takes a seat for a party and says who has left so far. */
function sitter(seats: Seats, recognizer: FakeRecognizer): { left: string[]; sit: typeof sit } {
  const left: string[] = [];
  const sit = (name: string, party: object, idleMs = 0): (() => void) => {
    const holder: Holder = { party, idleMs: () => idleMs, leave: () => void left.push(name) };
    return seats.take(recognizer, holder);
  };
  return { left, sit };
}

describe('createSeats', () => {
  it('has room for as many as the recognizer can have, and again for each that goes', () => {
    const [seats, recognizer, party] = [createSeats(), roomFor(2), {}];
    const { sit, left } = sitter(seats, recognizer);
    const leaving = sit('a', party);
    sit('b', party);
    expect(seats.hasRoom(recognizer, party)).toBe(false);
    leaving();
    leaving();
    expect(seats.hasRoom(recognizer, party)).toBe(true);
    expect(left).toEqual([]);
  });

  it('has room without end where the recognizer names no most, and knows recognizers apart', () => {
    const [seats, full, endless, party] = [createSeats(), roomFor(1), createFakeRecognizer('endless'), {}];
    sitter(seats, full).sit('a', party);
    const { sit } = sitter(seats, endless);
    for (let n = 0; n < 100; n++) sit(`${n}`, party);
    expect([seats.hasRoom(full, party), seats.hasRoom(endless, party)]).toEqual([false, true]);
  });

  it('gives on the seat of whoever has been silent longest, for three seconds at least', () => {
    const [seats, recognizer, party] = [createSeats(), roomFor(3), {}];
    const { sit, left } = sitter(seats, recognizer);
    sit('short', party, 2_999);
    sit('long', party, 60_000);
    sit('longer', party, 90_000);
    for (const name of ['x', 'y']) sit(name, party);
    expect(left).toEqual(['longer', 'long']);
    expect(seats.hasRoom(recognizer, party)).toBe(false);
  });

  it('shares among parties until they have equally many', () => {
    const [seats, recognizer, many, few] = [createSeats(), roomFor(4), {}, {}];
    const { sit, left } = sitter(seats, recognizer);
    for (const name of ['a', 'b', 'c', 'd']) sit(name, many);
    expect(seats.hasRoom(recognizer, many)).toBe(false);
    sit('e', few);
    sit('f', few);
    expect(left).toEqual(['d', 'c']);
    expect([seats.hasRoom(recognizer, few), seats.hasRoom(recognizer, many)]).toEqual([false, false]);
  });
});
