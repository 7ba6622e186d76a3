import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { BODY_COLUMNS } from '../../../src/features/body/bodyFrame.ts';
import { MOVEMENT_COLUMNS, toMovement } from '../../../src/features/body/movement.ts';
import { type BodyClip, CLIP_COLUMNS, readBodyClips } from '../../../src/training/corpora/bodyClips.ts';
import { ACTIVATION_LABELS, toBodyDataset } from '../../../src/training/corpora/bodyMotion.ts';

/** A clip of 3 s in which the wrists go up and down by `swing` shoulder widths. */
function clipOf(file: string, swing: number, about: Partial<BodyClip> = {}): BodyClip {
  const frames = 30;
  const pose = [0, -0.5, 0, 0.5, 0, 0, -0.5, 0, 0, 0.6, 0.8, 0, -0.6, 0.8, 0, 0.6, 0.6, 0, -0.6, 0.6, 0, 0.3, 2, 0];
  const motion = new Float32Array(frames * CLIP_COLUMNS.length);
  for (let frame = 0; frame < frames; frame++) {
    const row = motion.subarray(frame * CLIP_COLUMNS.length);
    row.set([...pose, -0.3, 2, 0, 0, 0, 0]);
    for (const side of ['L', 'R']) row[CLIP_COLUMNS.indexOf(`wrist_${side}_y`)]! += swing * Math.sin(frame);
  }
  const rest = { content: 'bow', style: 'sad', batch: 0, emotion: undefined, activation: undefined };
  return { file, ...rest, ...about, frames, motion };
}

const CLIPS = [
  clipOf('a.bvh', 0.1, { batch: 1, style: 'sad', activation: 'low', emotion: 'sadness' }),
  clipOf('b.bvh', 1, { batch: 5, style: 'active', activation: 'high', content: 'walk' }),
  clipOf('c.bvh', 0.5, { batch: 0, style: 'giant' }),
];
const speedOf = (rows: Float32Array): number => {
  const [speed, seen] = ['leftWristSpeedPerS', 'leftWristSeen'].map((name) => BODY_COLUMNS.indexOf(name));
  let [sum, count] = [0, 0];
  for (let at = 0; at < rows.length; at += BODY_COLUMNS.length) {
    sum += rows[at + speed!]!;
    count += rows[at + seen!]!;
  }
  return sum / Math.max(1, count);
};

describe('toBodyDataset', () => {
  it('makes one dialogue of one utterance for each clip, split by capture batch.', () => {
    const { dataset, emotions } = toBodyDataset(CLIPS, { seed: 1 });
    expect(dataset.labels).toEqual(['low', 'high']);
    expect(dataset.dialogues.map(({ id, split, utterances }) => [id, split, utterances[0]?.label])).toEqual([
      ['a.bvh#0', 'fold1', 0],
      ['b.bvh#0', 'fold5', 1],
      ['c.bvh#0', 'fold0', undefined],
    ]);
    expect(dataset.dialogues.map(({ utterances }) => [utterances.length, utterances[0]?.index])).toEqual([
      [1, 0],
      [1, 1],
      [1, 2],
    ]);
    expect(emotions).toEqual(['sadness', undefined, undefined]);
  });

  it('can leave out kinds of motion instead of batches.', () => {
    const { dataset } = toBodyDataset(CLIPS, { seed: 1, splitBy: 'content' });
    expect(dataset.dialogues.map(({ split }) => split)).toEqual(['fold-bow', 'fold-walk', 'fold-bow']);
  });

  it('films each clip anew for every variant, and keeps all variants of a clip in one split.', () => {
    const { dataset, emotions } = toBodyDataset(CLIPS, { seed: 1, variants: 3 });
    expect(dataset.dialogues.map(({ id }) => id).slice(0, 4)).toEqual(['a.bvh#0', 'a.bvh#1', 'a.bvh#2', 'b.bvh#0']);
    expect([dataset.dialogues.length, emotions.length]).toEqual([9, 9]);
    for (let clip = 0; clip < 3; clip++)
      expect(new Set(dataset.dialogues.slice(3 * clip, 3 * clip + 3).map(({ split }) => split)).size).toBe(1);
    const body = dataset.features.get('body')!;
    expect(body.rowsOf(0)).not.toEqual(body.rowsOf(1));
  });

  it('gives sequences of the body columns, finite, with at least one picture that shows the person.', () => {
    const body = toBodyDataset(CLIPS, { seed: 1, variants: 10 }).dataset.features.get('body')!;
    expect([body.modality, body.kind, body.dim]).toEqual(['body', 'sequence', 28]);
    for (let u = 0; u < 30; u++) {
      const rows = body.rowsOf(u)!;
      expect(rows.length % 28).toBe(0);
      expect(rows.every(Number.isFinite)).toBe(true);
      expect(rows.some((value, i) => i % 28 === 27 && value === 1)).toBe(true);
    }
    expect(body.rowsOf(30)).toBeUndefined();
  });

  it('gives beside each sequence the movement over it, as one vector.', () => {
    const { features } = toBodyDataset(CLIPS, { seed: 1, variants: 10 }).dataset;
    const movement = features.get('movement')!;
    expect([movement.name, movement.modality, movement.kind, movement.dim]).toEqual(['movement', 'body', 'vector', 29]);
    expect(movement.columns).toEqual(MOVEMENT_COLUMNS);
    for (let u = 0; u < 30; u++) {
      expect(movement.rowsOf(u)).toHaveLength(29);
      expect(movement.rowsOf(u)).toEqual(toMovement(features.get('body')!.rowsOf(u)!));
    }
    expect(movement.rowsOf(30)).toBeUndefined();
    expect(movement.rowsOf(10)).not.toEqual(movement.rowsOf(11));
  });

  it('lacks both features where nobody was ever found.', () => {
    const gone = { ...CLIPS[0]!, motion: CLIPS[0]!.motion.map((value, i) => (i % 3 === 1 ? value - 50 : value)) }; // too high
    const { features } = toBodyDataset([gone], { seed: 1 }).dataset;
    expect([features.get('body')!.rowsOf(0), features.get('movement')!.rowsOf(0)]).toEqual([undefined, undefined]);
  });

  it('gives the same numbers for the same seed, whichever clips stand beside it, and others for another.', () => {
    const rowsOf = (clips: readonly BodyClip[], seed: number, u: number): Float32Array | undefined =>
      toBodyDataset(clips, { seed }).dataset.features.get('body')!.rowsOf(u);
    expect(rowsOf(CLIPS, 1, 1)).toEqual(rowsOf([CLIPS[1]!], 1, 0));
    expect(rowsOf(CLIPS, 1, 1)).not.toEqual(rowsOf(CLIPS, 2, 1));
  });

  it('keeps the difference between quiet and lively hands through camera and jitter.', () => {
    const body = toBodyDataset(CLIPS, { seed: 1, variants: 20 }).dataset.features.get('body')!;
    const mean = (from: number): number =>
      Array.from({ length: 20 }, (_, i) => speedOf(body.rowsOf(from + i)!)).reduce((sum, speed) => sum + speed, 0) / 20;
    expect(mean(20)).toBeGreaterThan(2 * mean(0));
  });

  it('refuses a number of variants that is not a positive whole number.', () => {
    for (const variants of [0, 1.5, NaN])
      expect(() => toBodyDataset(CLIPS, { seed: 1, variants })).toThrow(
        new RangeError(`variants must be a positive whole number, got ${variants}`),
      );
  });
});

const shared = process.env['UNDERTONE_SHARED'];

describe('toBodyDataset, on the motion-capture clips', () => {
  if (shared === undefined) it.skip('skipped: the research data need UNDERTONE_SHARED.');
  else
    it('reads and films them all; lively styles move their hands faster than quiet ones in each batch.', async () => {
      const clips = await readBodyClips(join(shared, 'data/body'));
      expect(clips).toHaveLength(3076);
      const { dataset } = toBodyDataset(clips, { seed: 1 });
      const speeds = new Map<string, number[]>();
      for (const { split, utterances } of dataset.dialogues) {
        const { index, label } = utterances[0]!;
        const rows = dataset.features.get('body')!.rowsOf(index);
        if (!rows || label === undefined) continue;
        const key = `${split} ${ACTIVATION_LABELS[label]}`;
        speeds.set(key, [...(speeds.get(key) ?? []), speedOf(rows)]);
      }
      const mean = (key: string): number => speeds.get(key)!.reduce((a, b) => a + b, 0) / speeds.get(key)!.length;
      expect([...speeds.keys()].toSorted()).toHaveLength(6);
      for (const fold of ['fold0', 'fold1', 'fold5'])
        expect(mean(`${fold} high`)).toBeGreaterThan(1.3 * mean(`${fold} low`));
    });
});
