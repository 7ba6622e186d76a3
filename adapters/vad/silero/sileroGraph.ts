import { createOnnxGraph, type OnnxGraph, readOnnxConstants } from './onnxFile.ts';

/** Samples of half a window of the spectrum. A frame with its context, and its end mirrored, has five of them. */
export const HALF_SAMPLES = 128;
/** Half windows of a frame. */
export const HALVES = 5;
/** Numbers of each of the two recurrent layers. */
export const LAYER_SIZE = 128;

const BINS = 129;
/** Where PyTorch's gates (input, forget, cell, output) stand in ONNX: input, output, forget, cell. */
const GATE_ORDER = [0, 3, 1, 2] as const;

/**
 * Returns the 16 kHz network of Silero VAD v6, with the weights of `file`, as a model that is made for batches. Inputs:
 * `halves` `[5, n, 128]`, half windows of n frames; `hidden` and `cell` `[1, n, 128]`. Outputs: `speech` `[1, n, 1]`, the
 * probabilities; `hiddenN` and `cellN`.
 *
 * The file's own graph runs each convolution frame by frame, with so few columns that most of a processor is idle (60 µs a
 * frame); here each is one matrix product over all frames (18 µs), by writing the values that a filter sees beside each other. Frames
 * are rows of products, so none changes the numbers of another. Source: the graph of silero_vad_v6.onnx; the file's numbers
 * differ by rounding, below 1e-5 a step.
 * @throws RangeError when the file has not these weights
 */
export function buildSileroGraph(file: Uint8Array): Uint8Array {
  const constants = readOnnxConstants(file);
  const weights = (key: string): Float32Array => {
    const values = constants.get(key);
    if (!values) throw new RangeError(`silero: the model has no ${key}`);
    return values;
  };
  const graph = createOnnxGraph('silero-vad-v6');
  graph.input('halves', [HALVES, 'n', HALF_SAMPLES]);
  for (const name of ['hidden', 'cell']) graph.input(name, [1, 'n', LAYER_SIZE]);
  addSpectrum(graph, weights);
  addEncoder(graph, weights);
  addDecoder(graph, weights);
  graph.output('speech', [1, 'n', 1]);
  for (const name of ['hiddenN', 'cellN']) graph.output(name, [1, 'n', LAYER_SIZE]);
  return graph.bytes();
}

type Weights = (key: string) => Float32Array;

/** Magnitudes of four windows, each of two half windows: `[4, n, 129]`. */
function addSpectrum(graph: OnnxGraph, weights: Weights): void {
  addNeighbours(graph, { from: 'halves', to: 'windows', count: 4, taps: 2, stride: 1 });
  const basis = weights(`stft.forward_basis_buffer[${2 * BINS},1,${2 * HALF_SAMPLES}]`);
  graph.floats('basis', [2 * HALF_SAMPLES, 2 * BINS], transposed(basis, 2 * BINS));
  graph.node('MatMul', ['windows', 'basis'], ['spectrum']);
  addSlice(graph, { from: 'spectrum', to: 'real', axis: 2, range: [0, BINS] });
  addSlice(graph, { from: 'spectrum', to: 'imaginary', axis: 2, range: [BINS, 2 * BINS] });
  for (const part of ['real', 'imaginary']) graph.node('Mul', [part, part], [`${part}Power`]);
  graph.node('Add', ['realPower', 'imaginaryPower'], ['power']);
  graph.node('Sqrt', ['power'], ['magnitude']);
}

/** Four convolutions over time, of three taps each: from four steps to four, two, one and one. Taps that see only zeros are left out. */
function addEncoder(graph: OnnxGraph, weights: Weights): void {
  addPadding(graph, { from: 'magnitude', to: 'padded0', before: 1, after: 1 });
  addNeighbours(graph, { from: 'padded0', to: 'seen0', count: 4, taps: 3, stride: 1 });
  addConvolution(graph, weights, { layer: 0, from: 'seen0', inputs: BINS, outputs: 128, taps: [0, 1, 2] });
  addPadding(graph, { from: 'encoded0', to: 'padded1', before: 1, after: 0 });
  addNeighbours(graph, { from: 'padded1', to: 'seen1', count: 2, taps: 3, stride: 2 });
  addConvolution(graph, weights, { layer: 1, from: 'seen1', inputs: 128, outputs: 64, taps: [0, 1, 2] });
  addNeighbours(graph, { from: 'encoded1', to: 'seen2', count: 1, taps: 2, stride: 1 });
  addConvolution(graph, weights, { layer: 2, from: 'seen2', inputs: 64, outputs: 64, taps: [1, 2] });
  addConvolution(graph, weights, { layer: 3, from: 'encoded2', inputs: 64, outputs: LAYER_SIZE, taps: [1] });
}

/** One step of the recurrent layer, and the probability. */
function addDecoder(graph: OnnxGraph, weights: Weights): void {
  const size = 4 * LAYER_SIZE;
  const gates = (name: string): Float32Array => toGateOrder(weights(`decoder.rnn.${name}[${size},${LAYER_SIZE}]`));
  const biases = ['bias_ih', 'bias_hh'].map((name) => toGateOrder(weights(`decoder.rnn.${name}[${size}]`)));
  graph.floats('inputGates', [1, size, LAYER_SIZE], gates('weight_ih'));
  graph.floats('recurrentGates', [1, size, LAYER_SIZE], gates('weight_hh'));
  graph.floats('gateBias', [1, 2 * size], Float32Array.from(biases.flatMap((bias) => [...bias])));
  const inputs = ['encoded3', 'inputGates', 'recurrentGates', 'gateBias', '', 'hidden', 'cell'];
  graph.node('LSTM', inputs, ['', 'hiddenN', 'cellN'], { hidden_size: LAYER_SIZE });
  graph.node('Relu', ['hiddenN'], ['heard']);
  graph.floats('speechWeights', [LAYER_SIZE, 1], weights(`decoder.decoder.2.weight[1,${LAYER_SIZE},1]`));
  graph.floats('speechBias', [1], weights('decoder.decoder.2.bias[1]'));
  graph.node('MatMul', ['heard', 'speechWeights'], ['weighted']);
  graph.node('Add', ['weighted', 'speechBias'], ['logit']);
  graph.node('Sigmoid', ['logit'], ['speech']);
}

type Convolution = {
  readonly layer: number;
  readonly from: string;
  readonly inputs: number;
  readonly outputs: number;
  readonly taps: readonly number[];
};

/** `encoded…` = max(0, the values that a filter sees, times the filters, plus bias). */
function addConvolution(graph: OnnxGraph, weights: Weights, convolution: Convolution): void {
  const { layer, from, inputs, outputs, taps } = convolution;
  const name = `encoder.${layer}.reparam_conv`;
  const filters = weights(`${name}.weight[${outputs},${inputs},3]`);
  const rows = new Float32Array(taps.length * inputs * outputs);
  for (const [place, tap] of taps.entries())
    for (let input = 0; input < inputs; input++)
      for (let output = 0; output < outputs; output++)
        rows[(place * inputs + input) * outputs + output] = filters[(output * inputs + input) * 3 + tap] ?? 0;
  graph.floats(`filters${layer}`, [taps.length * inputs, outputs], rows);
  graph.floats(`bias${layer}`, [outputs], weights(`${name}.bias[${outputs}]`));
  graph.node('MatMul', [from, `filters${layer}`], [`filtered${layer}`]);
  graph.node('Add', [`filtered${layer}`, `bias${layer}`], [`biased${layer}`]);
  graph.node('Relu', [`biased${layer}`], [`encoded${layer}`]);
}

type Neighbours = {
  readonly from: string;
  readonly to: string;
  readonly count: number;
  readonly taps: number;
  readonly stride: number;
};

/** Writes `taps` steps beside each other, `count` times, beginning `stride` steps later each time. */
function addNeighbours(graph: OnnxGraph, { from, to, count, taps, stride }: Neighbours): void {
  const parts = Array.from({ length: taps }, (_, tap) => `${to}.${tap}`);
  for (const [tap, part] of parts.entries())
    addSlice(graph, { from, to: part, axis: 0, range: [tap, tap + (count - 1) * stride + 1], stride });
  graph.node('Concat', parts, [to], { axis: 2 });
}

type Slice = {
  readonly from: string;
  readonly to: string;
  readonly axis: number;
  readonly range: readonly [number, number];
  readonly stride?: number;
};

function addSlice(graph: OnnxGraph, { from, to, axis, range: [start, end], stride = 1 }: Slice): void {
  const settings = { starts: start, ends: end, axes: axis, steps: stride };
  for (const [name, value] of Object.entries(settings)) graph.integers(`${to}.${name}`, [value]);
  graph.node('Slice', [from, ...Object.keys(settings).map((name) => `${to}.${name}`)], [to]);
}

type Padding = { readonly from: string; readonly to: string; readonly before: number; readonly after: number };

/** Adds steps of zeros. */
function addPadding(graph: OnnxGraph, { from, to, before, after }: Padding): void {
  graph.integers(`${to}.pads`, [before, 0, 0, after, 0, 0]);
  graph.node('Pad', [from, `${to}.pads`], [to]);
}

function transposed(values: Float32Array, rows: number): Float32Array {
  const columns = values.length / rows;
  return Float32Array.from(values, (_, at) => values[(at % rows) * columns + Math.floor(at / rows)] ?? 0);
}

function toGateOrder(values: Float32Array): Float32Array {
  const size = values.length / GATE_ORDER.length;
  const ordered = new Float32Array(values.length);
  for (const [to, from] of GATE_ORDER.entries())
    ordered.set(values.subarray(from * size, (from + 1) * size), to * size);
  return ordered;
}
