import { describe, expect, it } from 'vitest';
import type { Picture, Sighting } from '../../src/adapter.ts';
import { createVisionStream } from '../../src/vision/visionStream.ts';

const picture = (atMs: number): Picture => ({ atMs, width: 1, height: 1, rgba: new Uint8Array(4) });
const bodyAt = ({ atMs }: Picture): Sighting[] => [{ modality: 'body', atMs, row: new Float32Array(28) }];

/** A look that ends when told to. */
function heldLook(): { look: (p: Picture) => Promise<Sighting[]>; asked: number[]; finish: () => void } {
  const waiting: (() => void)[] = [];
  const asked: number[] = [];
  return {
    asked,
    look: (p) => new Promise((resolve) => (asked.push(p.atMs), waiting.push(() => resolve(bodyAt(p))))),
    finish: () => waiting.shift()?.(),
  };
}

const settled = async (): Promise<void> => {
  for (let turn = 0; turn < 20; turn++) await Promise.resolve();
};

describe('createVisionStream', () => {
  it('lets the newest picture win while one is looked at, and counts the others as skipped', async () => {
    const { look, asked, finish } = heldLook();
    const seen: number[] = [];
    const stream = createVisionStream<Picture>(
      { onSightings: (sightings) => seen.push(...sightings.map(({ atMs }) => atMs)) },
      { look, onClose: () => undefined },
    );
    stream.look(picture(0));
    await settled();
    for (const atMs of [100, 200, 300]) stream.look(picture(atMs));
    finish();
    await settled();
    finish();
    await stream.flush();
    expect(asked).toEqual([0, 300]);
    expect(seen).toEqual([0, 300]);
    expect(stream.counts).toEqual({ looked: 2, skipped: 2, failed: 0 });
  });

  it('skips what comes faster than the rate', async () => {
    const stream = createVisionStream<Picture>({}, { look: async (p) => bodyAt(p), onClose: () => undefined });
    for (let atMs = 0; atMs < 1_000; atMs += 20) {
      stream.look(picture(atMs));
      await stream.flush();
    }
    expect(stream.counts).toEqual({ looked: 10, skipped: 40, failed: 0 });
  });

  it('tells when it lowers its rate, and raises it again', async () => {
    const { look, finish } = heldLook();
    const rates: number[] = [];
    const stream = createVisionStream<Picture>(
      { onRateChange: (rate) => rates.push(rate) },
      { look, onClose: () => undefined },
    );
    stream.look(picture(0));
    await settled();
    for (let atMs = 100; atMs <= 3_000; atMs += 100) stream.look(picture(atMs));
    expect(rates).toEqual([5, 2]);
    for (let atMs = 4_000; atMs <= 40_000; atMs += 500) {
      finish();
      await settled();
      finish();
      await settled();
      stream.look(picture(atMs));
      await settled();
    }
    expect(rates).toEqual([5, 2, 5, 10]);
  });

  it('examines every picture in the order of the calls', async () => {
    const { look, asked, finish } = heldLook();
    const stream = createVisionStream<Picture>({}, { look, onClose: () => undefined });
    const all = Promise.all([0, 10, 20].map((atMs) => stream.examine(picture(atMs))));
    for (let i = 0; i < 3; i++) {
      await settled();
      finish();
    }
    expect((await all).flat().map(({ atMs }) => atMs)).toEqual([0, 10, 20]);
    expect(asked).toEqual([0, 10, 20]);
    expect(stream.counts).toEqual({ looked: 3, skipped: 0, failed: 0 });
  });

  it('counts as failed what could not be looked at', async () => {
    const stream = createVisionStream<Picture>(
      {},
      {
        look: async ({ atMs }) => [{ modality: 'body', atMs, reason: 'decode_error' }],
        onClose: () => undefined,
      },
    );
    await stream.examine(picture(0));
    expect(stream.counts).toEqual({ looked: 0, skipped: 0, failed: 1 });
  });

  it('tells of each picture that is not looked at, once, so that it can be released', async () => {
    const { look, asked, finish } = heldLook();
    const skipped: number[] = [];
    const stream = createVisionStream<Picture>(
      {},
      { look, skip: ({ atMs }) => skipped.push(atMs), onClose: () => undefined },
    );
    stream.look(picture(0));
    await settled();
    for (const atMs of [50, 100, 200, 300]) stream.look(picture(atMs));
    finish();
    await settled();
    stream.look(picture(400));
    stream.close();
    stream.close();
    finish();
    await stream.flush();
    expect(asked).toEqual([0, 300]);
    expect(skipped).toEqual([50, 100, 200, 400]);
    expect(stream.counts.skipped).toBe(4);
  });

  it('says nothing after it was closed, releases its place once, and refuses more', async () => {
    const { look, finish } = heldLook();
    let closed = 0;
    const seen: unknown[] = [];
    const stream = createVisionStream<Picture>(
      { onSightings: (s) => seen.push(s) },
      { look, onClose: () => void closed++ },
    );
    stream.look(picture(0));
    await settled();
    stream.look(picture(100));
    stream.close();
    stream.close();
    finish();
    await stream.flush();
    expect(seen).toEqual([]);
    expect(closed).toBe(1);
    expect(stream.counts.skipped).toBe(1);
    expect(() => stream.look(picture(200))).toThrow(TypeError);
    expect(() => stream.examine(picture(200))).toThrow(TypeError);
  });
});
