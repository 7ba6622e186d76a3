/** What a path through the pitch candidates costs. Source: Boersma (1993), eqs. 23–27. */
export type PathCosts = {
  readonly ceilingHz: number;
  readonly voicingThreshold: number;
  /** Per octave below the ceiling. */
  readonly octaveCost: number;
  /** Per octave of a jump between frames 10 ms apart. */
  readonly octaveJumpCost: number;
  /** Per change between voiced and unvoiced between frames 10 ms apart. */
  readonly voicedUnvoicedCost: number;
};

/** Voiced candidates per frame, beside the unvoiced one. */
export const MAX_VOICED_CANDIDATES = 14;

const WIDTH = MAX_VOICED_CANDIDATES + 1;

/** The pitch candidates of consecutive frames; the first of each frame is the unvoiced one. */
export type Candidates = {
  readonly frames: number;
  /** Candidates of each frame. */
  readonly counts: Uint8Array;
  /** Hertz, {@link MAX_VOICED_CANDIDATES} + 1 per frame; 0 for the unvoiced candidate. */
  readonly hz: Float64Array;
  /** Height of the autocorrelation, in [0, 1]; for the unvoiced candidate what it is worth. */
  readonly strength: Float64Array;
  /** Begins the next frame with its unvoiced candidate. */
  beginFrame(unvoicedStrength: number): void;
  /** Adds a voiced candidate to the frame begun last; when it is full, the weakest gives way. */
  add(hz: number, strength: number): void;
};

/** Returns room for the candidates of `frames` frames. */
export function createCandidates(frames: number): Candidates {
  const counts = new Uint8Array(frames);
  const hz = new Float64Array(frames * WIDTH);
  const strength = new Float64Array(frames * WIDTH);
  let current = -1;
  return {
    frames,
    counts,
    hz,
    strength,
    beginFrame(unvoicedStrength) {
      current++;
      counts[current] = 1;
      strength[current * WIDTH] = unvoicedStrength;
    },
    add(newHz, newStrength) {
      const count = counts[current] ?? 0;
      const slot = current * WIDTH + (count < WIDTH ? count : weakestOf(strength, current * WIDTH));
      if (count < WIDTH) counts[current] = count + 1;
      else if ((strength[slot] ?? 0) >= newStrength) return;
      hz[slot] = newHz;
      strength[slot] = newStrength;
    },
  };
}

function weakestOf(strength: Float64Array, first: number): number {
  let weakest = 1;
  for (let k = 2; k < WIDTH; k++) if ((strength[first + k] ?? 0) < (strength[first + weakest] ?? 0)) weakest = k;
  return weakest;
}

/** Returns the pitch of each frame in hertz, 0 where unvoiced, along the best path (Viterbi). */
export function choosePath(candidates: Candidates, costs: PathCosts, stepS: number): Float64Array {
  const { frames, counts, hz, strength } = candidates;
  const octaves = hz.map((f) => (f > 0 ? Math.log2(f) : 0));
  const best = new Float64Array(frames * WIDTH);
  const from = new Uint8Array(frames * WIDTH);
  const perStep = 0.01 / stepS;
  const worth = (k: number) => {
    const octavesDown = Math.log2(costs.ceilingHz) - (octaves[k] ?? 0);
    return (strength[k] ?? 0) - ((hz[k] ?? 0) > 0 ? costs.octaveCost * octavesDown : 0);
  };
  const transition = (a: number, b: number) => {
    const aVoiced = (hz[a] ?? 0) > 0;
    const bVoiced = (hz[b] ?? 0) > 0;
    if (aVoiced !== bVoiced) return costs.voicedUnvoicedCost * perStep;
    return aVoiced ? costs.octaveJumpCost * perStep * Math.abs((octaves[a] ?? 0) - (octaves[b] ?? 0)) : 0;
  };
  for (let k = 0; k < (counts[0] ?? 0); k++) best[k] = worth(k);
  for (let frame = 1; frame < frames; frame++) {
    const here = frame * WIDTH;
    const before = here - WIDTH;
    for (let k = 0; k < (counts[frame] ?? 0); k++) {
      let top = -Infinity;
      for (let j = 0; j < (counts[frame - 1] ?? 0); j++) {
        const value = (best[before + j] ?? 0) - transition(before + j, here + k);
        if (value > top) {
          top = value;
          from[here + k] = j;
        }
      }
      best[here + k] = top + worth(here + k);
    }
  }
  return traceBack(candidates, best, from);
}

function traceBack({ frames, counts, hz }: Candidates, best: Float64Array, from: Uint8Array): Float64Array {
  const path = new Float64Array(frames);
  let choice = 0;
  const last = (frames - 1) * WIDTH;
  for (let k = 1; k < (counts[frames - 1] ?? 0); k++)
    if ((best[last + k] ?? 0) > (best[last + choice] ?? 0)) choice = k;
  for (let frame = frames - 1; frame >= 0; frame--) {
    path[frame] = hz[frame * WIDTH + choice] ?? 0;
    choice = from[frame * WIDTH + choice] ?? 0;
  }
  return path;
}
