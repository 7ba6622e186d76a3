import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Ring, type RingEntry } from '../../src/client/ring.ts';
import type { StreamDeclaration } from '../../src/protocol/live.ts';

type Kind = StreamDeclaration['kind'];

function append(
  ring: Ring,
  streamId: string,
  kind: Kind = 'audio',
  endMs = 0,
  sizeBytes = 1,
): ReadonlyMap<string, number> {
  const sequence = ring.nextSequence(streamId);
  return ring.append({ streamId, kind, sequence, endMs, message: `${streamId}${sequence}`, sizeBytes });
}

/** Sends all that waits, and returns it. */
function drain(ring: Ring): readonly string[] {
  const sent: string[] = [];
  for (let entry: RingEntry | undefined = ring.peek(); entry; entry = ring.peek()) {
    sent.push(entry.message as string);
    ring.shift();
  }
  return sent;
}

const at = (streamId: string, nextSequence: number) => ({ streamId, nextSequence, mediaMs: 0 });

describe('the ring', () => {
  it('gives what was appended once, in order, over all streams', () => {
    const ring = new Ring(100);
    for (const streamId of ['a', 'b', 'a', 'c', 'b']) append(ring, streamId);
    expect(drain(ring)).toEqual(['a0', 'b0', 'a1', 'c0', 'b1']);
    expect(drain(ring)).toEqual([]);
    append(ring, 'a');
    expect(drain(ring)).toEqual(['a2']);
  });

  it('keeps what was sent until it is used', () => {
    const ring = new Ring(100);
    for (let index = 0; index < 4; index++) append(ring, 'a');
    drain(ring);
    expect(ring.length).toBe(4);
    ring.ack([at('a', 3)]);
    expect([ring.length, ring.sizeBytes]).toEqual([1, 1]);
    expect(drain(ring)).toEqual([]);
  });

  it('gives again what the server has not used, in the order it had, with what never was sent', () => {
    const ring = new Ring(100);
    for (const streamId of ['a', 'b', 'a', 'b']) append(ring, streamId);
    drain(ring);
    append(ring, 'a');
    expect(ring.rewind([at('a', 1), at('b', 0)])).toEqual(new Map());
    expect(drain(ring)).toEqual(['b0', 'a1', 'b1', 'a2']);
  });

  it('gives all of a stream that the server does not name', () => {
    const ring = new Ring(100);
    append(ring, 'a');
    append(ring, 'b');
    drain(ring);
    ring.rewind([at('a', 1)]);
    expect(drain(ring)).toEqual(['b0']);
  });

  it('drops the oldest of a stream when it is longer than the server wants it, and no other stream', () => {
    const ring = new Ring(100, 1_000);
    append(ring, 'b', 'audio', 0);
    append(ring, 'a', 'audio', 0);
    append(ring, 'a', 'audio', 500);
    expect(append(ring, 'a', 'audio', 1_000)).toEqual(new Map());
    expect(append(ring, 'a', 'audio', 1_501)).toEqual(new Map([['a', 2]]));
    expect(drain(ring)).toEqual(['b0', 'a2', 'a3']);
  });

  it('drops pictures first, then landmarks, then sound, then words, the oldest of each', () => {
    const ring = new Ring(8);
    const kinds: readonly Kind[] = ['captions', 'audio', 'face', 'body', 'video', 'video', 'audio', 'captions'];
    kinds.forEach((kind) => append(ring, `${kind} `, kind));
    const lost: string[] = [];
    for (let index = 0; index < 8; index++) lost.push(...append(ring, 'new ', 'captions').keys());
    expect(lost).toEqual(['video ', 'video ', 'face ', 'body ', 'audio ', 'audio ', 'captions ', 'captions ']);
    expect(ring.sizeBytes).toBe(8);
  });

  it('does not keep what is larger than the whole ring, and says so', () => {
    const ring = new Ring(10);
    expect(append(ring, 'a', 'audio', 0, 11)).toEqual(new Map([['a', 1]]));
    expect([ring.length, ring.sizeBytes]).toEqual([0, 0]);
  });

  it('tells of what was sent and is gone only when the server asks for it, and once', () => {
    const ring = new Ring(3);
    for (let index = 0; index < 3; index++) append(ring, 'a');
    drain(ring);
    expect(append(ring, 'a')).toEqual(new Map());
    drain(ring);
    append(ring, 'a');
    expect(ring.rewind([at('a', 1)])).toEqual(new Map([['a', 1]]));
    expect(ring.rewind([at('a', 1)])).toEqual(new Map());
    expect(drain(ring)).toEqual(['a2', 'a3', 'a4']);
  });

  it('erases streams whole, and goes on counting their numbers', () => {
    const ring = new Ring(100);
    for (const streamId of ['a', 'b', 'a']) append(ring, streamId);
    ring.shift();
    expect(ring.erase(new Set(['a']))).toEqual(new Map([['a', 2]]));
    expect(append(ring, 'a')).toEqual(new Map());
    expect(drain(ring)).toEqual(['b0', 'a2']);
    expect(ring.rewind([at('a', 0), at('b', 0)])).toEqual(new Map());
  });

  it('says what waits and was never sent', () => {
    const ring = new Ring(100);
    for (const streamId of ['a', 'b', 'a']) append(ring, streamId);
    ring.shift();
    expect(ring.waiting()).toEqual(
      new Map([
        ['b', 1],
        ['a', 1],
      ]),
    );
    drain(ring);
    expect(ring.waiting()).toEqual(new Map());
  });

  it('forgets numbers too when it is cleared', () => {
    const ring = new Ring(100);
    append(ring, 'a');
    append(ring, 'a');
    expect(ring.clear()).toEqual(new Map([['a', 2]]));
    append(ring, 'a');
    expect(drain(ring)).toEqual(['a0']);
  });
});

type Step =
  | { readonly do: 'append'; readonly stream: number }
  | { readonly do: 'send'; readonly count: number }
  | { readonly do: 'receive' | 'ack' | 'resume' };

const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 4, arbitrary: fc.record({ do: fc.constant('append' as const), stream: fc.nat(2) }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('send' as const), count: fc.nat(4) }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constantFrom('receive', 'ack', 'resume') }) },
);
const KINDS: readonly Kind[] = ['audio', 'face', 'video'];

/** A client, a network that loses its end at a resume, and a server that uses each number of a stream once, in order. */
function play(steps: readonly Step[], maxBytes: number) {
  const ring = new Ring(maxBytes);
  const wanted = new Map<string, number>();
  const used: string[] = [];
  const lost = new Map<string, number>();
  let wire: RingEntry[] = [];
  let appended = 0;
  const addLosses = (losses: ReadonlyMap<string, number>): void =>
    losses.forEach((count, streamId) => lost.set(streamId, (lost.get(streamId) ?? 0) + count));
  const receive = (): void => {
    for (const { streamId, sequence, message } of wire) {
      expect(sequence).toBeGreaterThanOrEqual(wanted.get(streamId) ?? 0);
      wanted.set(streamId, sequence + 1);
      used.push(message as string);
    }
    wire = [];
  };
  const positions = () => KINDS.map((kind) => at(kind, wanted.get(kind) ?? 0));
  const send = (count: number): void => {
    for (let entry = ring.peek(); entry && count > 0; entry = ring.peek(), count--) {
      wire.push(entry);
      ring.shift();
    }
  };
  const act = (one: Step): void => {
    if (one.do === 'append') {
      appended++;
      const kind = KINDS[one.stream] ?? 'audio';
      addLosses(append(ring, kind, kind));
    } else if (one.do === 'send') send(one.count);
    else if (one.do === 'receive') receive();
    else if (one.do === 'ack') ring.ack(positions());
    else {
      wire = wire.slice(0, wire.length >> 1);
      receive();
      addLosses(ring.rewind(positions()));
    }
    expect(ring.sizeBytes).toBeLessThanOrEqual(maxBytes);
  };
  steps.forEach(act);
  act({ do: 'resume' });
  send(Infinity);
  receive();
  const losses = [...lost.values()].reduce((sum, count) => sum + count, 0);
  return { used, appended, losses };
}

describe('the ring, over any story of sending, losing and resuming', () => {
  it('brings everything that fits to the server once, in the order of each stream', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 80 }), (steps) => {
        const { used, appended, losses } = play(steps, 1_000);
        expect(losses).toBe(0);
        expect(used.length).toBe(appended);
        expect(new Set(used).size).toBe(appended);
      }),
      { numRuns: 1_000 },
    );
  });

  it('counts exactly what did not fit', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 80 }), fc.integer({ min: 1, max: 8 }), (steps, maxBytes) => {
        const { used, appended, losses } = play(steps, maxBytes);
        expect(new Set(used).size).toBe(used.length);
        expect(used.length + losses).toBe(appended);
      }),
      { numRuns: 2_000 },
    );
  });
});
