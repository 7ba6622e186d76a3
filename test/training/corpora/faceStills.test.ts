import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { BLENDSHAPES } from '../../../src/features/face/blendshapes.ts';
import { FACE_COLUMNS, toFaceFrame } from '../../../src/features/face/faceFrame.ts';
import { withFaceFrames } from '../../../src/training/corpora/faceStills.ts';
import { type Dataset, readDataset } from '../../../src/training/dataset.ts';
import { createFolders, type TinyFeature, writeDataset } from '../../support/tinyDataset.ts';

const newFolder = createFolders();

/** Three pictures; the face of the last one was not found again in the mirror. */
async function stills(features: readonly string[]): Promise<Dataset> {
  const face = (value: number): number[] => BLENDSHAPES.map((_, i) => (value * i) / 100);
  const turned = (angle: number): number[] => {
    const [c, s] = [Math.cos(angle), Math.sin(angle)];
    return [c, 0, -s, 0, 0, 1, 0, 0, s, 0, c, 0, 5, 6, -40, 1];
  };
  const vector = (rows: TinyFeature['rows']): TinyFeature => ({
    modality: 'face',
    kind: 'vector',
    dim: rows[0]![0]!.length,
    rows,
  });
  const known: Record<string, TinyFeature> = {
    blendshapes: vector([[face(1)], [face(0.5)], [face(0.2)]]),
    matrix: vector([[turned(0.1)], [turned(0.2)], [turned(0.3)]]),
    blendshapes_flip: vector([[face(0.9)], [face(0.4)], undefined]),
    matrix_flip: vector([[turned(-0.1)], [turned(-0.2)], undefined]),
    wrong: vector([[[1]], [[2]], [[3]]]),
  };
  const folder = await writeDataset(join(await newFolder(), 'stills'), {
    name: 'stills',
    labels: ['joy', 'anger'],
    features: Object.fromEntries(features.map((name) => [name === 'wrong' ? 'blendshapes' : name, known[name]!])),
    dialogues: [0, 1, 2].map((i) => ({
      id: `${i}`,
      split: 'train',
      utterances: [{ id: '0', speaker: 'p', label: 'joy' }],
    })),
  });
  return readDataset(folder);
}

describe('withFaceFrames', () => {
  it('gives each picture one row, made as the live path makes it but without the place of the head.', async () => {
    const dataset = await stills(['blendshapes', 'matrix']);
    const face = withFaceFrames(dataset).features.get('face')!;
    expect([face.name, face.modality, face.kind, face.dim]).toEqual(['face', 'face', 'sequence', 52]);
    for (const u of [0, 1, 2]) {
      const [blendshapes, matrix] = ['blendshapes', 'matrix'].map((name) => dataset.features.get(name)!.rowsOf(u)!);
      expect(face.rowsOf(u)).toEqual(toFaceFrame(blendshapes, matrix, { hasPlace: false }));
    }
    expect(face.rowsOf(1)![FACE_COLUMNS.indexOf('yawRad')]).toBeCloseTo(0.2, 6);
    expect(face.rowsOf(1)![FACE_COLUMNS.indexOf('distanceM')]).toBe(0);
  });

  it('offers the mirrored picture where there is one.', async () => {
    const face = withFaceFrames(
      await stills(['blendshapes', 'matrix', 'blendshapes_flip', 'matrix_flip']),
    ).features.get('face_flip')!;
    expect(face.rowsOf(0)![FACE_COLUMNS.indexOf('yawRad')]).toBeCloseTo(-0.1, 6);
    expect(face.rowsOf(2)).toBeUndefined();
  });

  it('needs neither matrix nor mirrored pictures.', async () => {
    const { features } = withFaceFrames(await stills(['blendshapes']));
    expect([...features.keys()]).toEqual(['blendshapes', 'face']);
    expect([...features.get('face')!.rowsOf(2)!.slice(45)]).toEqual([0, 0, 0, 0, 0, 0, 1]);
  });

  it('keeps everything else of the dataset, and leaves the given one as it was.', async () => {
    const dataset = await stills(['blendshapes', 'matrix']);
    const { features, ...rest } = withFaceFrames(dataset);
    expect(rest).toEqual({ name: dataset.name, labels: dataset.labels, dialogues: dataset.dialogues });
    expect([...features.keys()]).toEqual(['blendshapes', 'matrix', 'face']);
    expect([...dataset.features.keys()]).toEqual(['blendshapes', 'matrix']);
  });

  it('refuses a dataset without blendshapes or with another number of them.', async () => {
    const without = await stills(['matrix']);
    expect(() => withFaceFrames(without)).toThrow('dataset stills: it has no feature "blendshapes"');
    const wrong = await stills(['wrong']);
    expect(() => withFaceFrames(wrong)).toThrow('dataset stills: feature "blendshapes" is not a vector of 52');
  });
});

const shared = process.env['UNDERTONE_SHARED'];

describe('withFaceFrames, on FER2013', () => {
  if (shared === undefined) it.skip('skipped: the research data need UNDERTONE_SHARED.');
  else
    it('finds a valid face in every picture, and head turns that the mirror turns round.', async () => {
      const { dialogues, features } = withFaceFrames(await readDataset(join(shared, 'data/face-fer2013')));
      const [face, mirrored] = ['face', 'face_flip'].map((name) => features.get(name)!);
      let [pictures, opposite, turned] = [0, 0, 0];
      for (const { index } of dialogues.flatMap((dialogue) => dialogue.utterances)) {
        const row = face!.rowsOf(index)!;
        expect(row[51]).toBe(1);
        pictures++;
        const other = mirrored!.rowsOf(index);
        if (!other || Math.abs(row[45]!) < 0.1) continue;
        turned++;
        if (row[45]! * other[45]! < 0) opposite++;
      }
      expect(pictures).toBe(31_133);
      expect(opposite / turned).toBeGreaterThan(0.98);
    });
});
