import type { MissingReason } from '../../src/domain/modality.ts';
import type { StreamInterrupted, StreamRestored, VisualFrame } from '../../src/domain/observation.ts';

type Rest = Partial<Pick<VisualFrame, 'row' | 'reason' | 'speaker'>> & {
  readonly value?: number;
  readonly lagMs?: number;
};

/** A row as wide as docs/features.md says, all of it `value`, that shows somebody. */
export function rowOf(modality: VisualFrame['modality'], value = 0.5): Float32Array {
  const row = new Float32Array(modality === 'face' ? 52 : 28).fill(value);
  row[row.length - 1] = 1;
  return row;
}

/** What one picture at `atMs` showed; it arrives 50 ms later unless told. With a reason it showed nothing. */
export function frame(streamId: string, modality: VisualFrame['modality'], atMs: number, rest: Rest = {}): VisualFrame {
  const { value, lagMs = 50, ...given } = rest;
  const row = given.reason === undefined ? { row: rowOf(modality, value) } : {};
  return { type: 'visual', arrivalMs: atMs + lagMs, streamId, modality, atMs, ...row, ...given };
}

/** Such pictures, 10 a second unless told, from `fromMs` until before `toMs`. */
export function frames(
  streamId: string,
  modality: VisualFrame['modality'],
  fromMs: number,
  toMs: number,
  { stepMs = 100, ...rest }: Rest & { readonly stepMs?: number } = {},
): VisualFrame[] {
  const count = Math.ceil((toMs - fromMs) / stepMs);
  return Array.from({ length: count }, (_, n) => frame(streamId, modality, fromMs + n * stepMs, rest));
}

export function interrupted(arrivalMs: number, streamId: string, reason: MissingReason): StreamInterrupted {
  return { type: 'streamInterrupted', arrivalMs, streamId, reason };
}

export function restored(arrivalMs: number, streamId: string): StreamRestored {
  return { type: 'streamRestored', arrivalMs, streamId };
}
