import { describe, expect, it } from 'vitest';

import {
  choosePath,
  createCandidates,
  MAX_VOICED_CANDIDATES,
  type PathCosts,
} from '../../../src/features/audio/pitchPath.ts';

const COSTS: PathCosts = {
  ceilingHz: 600,
  voicingThreshold: 0.45,
  octaveCost: 0.01,
  octaveJumpCost: 0.35,
  voicedUnvoicedCost: 0.14,
};

/** One frame: what unvoiced is worth, then hertz and strength of voiced candidates. */
type Frame = readonly [unvoiced: number, ...voiced: (readonly [hz: number, strength: number])[]];

function pathOf(frames: readonly Frame[], costs: Partial<PathCosts> = {}): number[] {
  const candidates = createCandidates(frames.length);
  for (const [unvoiced, ...voiced] of frames) {
    candidates.beginFrame(unvoiced);
    for (const [hz, strength] of voiced) candidates.add(hz, strength);
  }
  return [...choosePath(candidates, { ...COSTS, ...costs }, 0.01)];
}

describe('choosePath', () => {
  it('takes a voiced candidate that beats the unvoiced one, and no weaker one.', () => {
    expect(pathOf([[0.45, [200, 0.9]]])).toEqual([200]);
    expect(pathOf([[0.45, [200, 0.4]]])).toEqual([0]);
  });

  it('prefers the higher of two octaves that are equally strong.', () => {
    expect(pathOf([[0.45, [100, 0.9], [200, 0.9]]])).toEqual([200]);
  });

  it('stays in the octave of its neighbours when a single frame says otherwise.', () => {
    const steady: Frame = [0.45, [100, 0.7], [200, 0.9]];
    const doubtful: Frame = [0.45, [100, 0.95], [200, 0.85]];
    expect(pathOf([steady, doubtful, steady])).toEqual([200, 200, 200]);
    expect(pathOf([steady, doubtful, steady], { octaveJumpCost: 0 })).toEqual([200, 100, 200]);
  });

  it('bridges a weak frame between voiced ones, because changing twice costs more.', () => {
    const voiced: Frame = [0.45, [150, 0.9]];
    const weak: Frame = [0.45, [151, 0.3]];
    expect(pathOf([voiced, weak, voiced])).toEqual([150, 151, 150]);
    expect(pathOf([voiced, weak, voiced], { voicedUnvoicedCost: 0 })).toEqual([150, 0, 150]);
  });

  it('is as good as the best of all paths tried one by one.', () => {
    const frames: Frame[] = [
      [0.5, [110, 0.6], [220, 0.62]],
      [0.7, [108, 0.71]],
      [0.45, [330, 0.9], [112, 0.86]],
      [0.6, [115, 0.66], [228, 0.7]],
    ];
    const all = frames.reduce<number[][]>(
      (paths, [, ...voiced]) => paths.flatMap((path) => [0, ...voiced.map(([hz]) => hz)].map((hz) => [...path, hz])),
      [[]],
    );
    const worth = (path: number[]) =>
      path.reduce((sum, hz, i) => {
        const [unvoiced, ...voiced] = frames[i] ?? [0];
        const strength = voiced.find(([f]) => f === hz)?.[1] ?? unvoiced;
        const before = path[i - 1] ?? hz;
        const jump = hz > 0 !== before > 0 ? 0.14 : hz > 0 ? 0.35 * Math.abs(Math.log2(hz / before)) : 0;
        return sum + strength - (hz > 0 ? 0.01 * Math.log2(600 / hz) : 0) - jump;
      }, 0);
    const best = all.reduce((a, b) => (worth(b) > worth(a) ? b : a));
    expect(pathOf(frames)).toEqual(best);
  });
});

describe('createCandidates', () => {
  it('lets the weakest give way when a frame is full.', () => {
    const candidates = createCandidates(1);
    candidates.beginFrame(0.45);
    for (let i = 0; i < MAX_VOICED_CANDIDATES; i++) candidates.add(100 + i, 0.5 + 0.01 * i);
    candidates.add(400, 0.9);
    candidates.add(500, 0.1);
    expect(candidates.counts[0]).toBe(MAX_VOICED_CANDIDATES + 1);
    expect(candidates.hz).toContain(400);
    expect(candidates.hz).not.toContain(100);
    expect(candidates.hz).not.toContain(500);
  });
});
