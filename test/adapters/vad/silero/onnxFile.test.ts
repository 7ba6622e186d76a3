import { InferenceSession, Tensor } from 'onnxruntime-node';
import { describe, expect, it } from 'vitest';
import { createOnnxGraph, readOnnxConstants } from '../../../../adapters/vad/silero/onnxFile.ts';

/** y = x · w, then the columns 1 and 2 of it. */
function small(): Uint8Array {
  const graph = createOnnxGraph('small');
  graph.input('x', ['n', 2]);
  graph.floats('w', [2, 3], Float32Array.of(1, 2, 3, 4, 5, 6));
  graph.integers('from', [1]);
  graph.integers('to', [3]);
  graph.integers('axis', [-1]);
  graph.node('MatMul', ['x', 'w'], ['all']);
  graph.node('Slice', ['all', 'from', 'to', 'axis'], ['two']);
  graph.node('Concat', ['two', 'two'], ['y'], { axis: 1 });
  graph.output('y', ['n', 4]);
  return graph.bytes();
}

const field = (number: number, value: readonly number[]): number[] => [(number << 3) | 2, value.length, ...value];
const text = (value: string): number[] => [...Buffer.from(value)];
/** A constant of 32-bit numbers in an operator of a graph; `wrap` puts it deeper. */
const constant = (name: string, shape: readonly number[], values: readonly number[]): number[] => {
  const raw = [...new Uint8Array(Float32Array.from(values).buffer)];
  const tensor = [...shape.flatMap((size) => [8, size]), 16, 1, ...field(8, text(name)), ...field(9, raw)];
  return field(1, field(5, field(5, tensor)));
};

describe('createOnnxGraph', () => {
  it('writes what a runtime runs: constants, operators, settings, shapes that are free', async () => {
    const session = await InferenceSession.create(small());
    const { y } = await session.run({ x: new Tensor('float32', [1, 0, 0, 1], [2, 2]) });
    expect(y?.dims).toEqual([2, 4]);
    expect([...(y?.data as Float32Array)]).toEqual([2, 3, 2, 3, 5, 6, 5, 6]);
    await session.release();
  });
});

describe('readOnnxConstants', () => {
  it('finds constants by name and shape, also those of branches, and those of one name apart', () => {
    const branch = field(1, field(5, field(6, constant('w', [2, 1], [3, 4]))));
    const file = Uint8Array.from(field(7, [...constant('w', [2], [1, 2]), ...branch]));
    expect([...readOnnxConstants(file)]).toEqual([
      ['w[2]', Float32Array.of(1, 2)],
      ['w[2,1]', Float32Array.of(3, 4)],
    ]);
  });

  it('passes over constants that are no 32-bit numbers, and what it does not know', () => {
    const whole = field(1, field(5, field(5, [16, 7, ...field(8, text('k')), ...field(9, [1, 0, 0, 0, 0, 0, 0, 0])])));
    const fixed = [(3 << 3) | 5, 0, 0, 0, 0, (4 << 3) | 1, 0, 0, 0, 0, 0, 0, 0, 0];
    const file = Uint8Array.from([...fixed, ...field(7, [...whole, ...constant('w', [1], [5])])]);
    expect([...readOnnxConstants(file).keys()]).toEqual(['w[1]']);
  });

  it.each([
    ['a field longer than the file', [(7 << 3) | 2, 100, 1]],
    ['a number that does not end', [7 << 3, 255, 255]],
    ['a kind of field that does not exist', [(7 << 3) | 3, 1]],
  ])('refuses %s with a RangeError', (_, bytes) => {
    expect(() => readOnnxConstants(Uint8Array.from(bytes))).toThrow(RangeError);
  });

  it('finds nothing in nothing', () => {
    expect(readOnnxConstants(new Uint8Array(0)).size).toBe(0);
  });
});
