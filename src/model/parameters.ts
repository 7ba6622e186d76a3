import * as tf from '@tensorflow/tfjs-core';
import { UndertoneError } from '../errors.ts';
import { type Mode, MODES, type ModelConfig, modeOf, rowWidth } from './config.ts';
import { type RotationMatrices, rotationMatrices } from './jointEmbedding.ts';
import type { RecurrentWeights } from './ops/lstm.ts';
import { prepareRecurrent } from './ops/lstm.ts';
import { createRandom, deriveSeed } from './random.ts';

/** Where a parameter lives and how it begins. `host` parameters are tables and statistics that tensors never hold whole. */
export type ParameterSpec = {
  readonly name: string;
  readonly shape: readonly number[];
  readonly place: 'tensor' | 'host';
  readonly start: 'uniform' | 'zeros' | 'ones' | 'normal' | 'forgetBias';
};

/** Raw values by name; what a weights file holds. */
export type ParameterValues = ReadonlyMap<string, Float32Array>;

/** The parameters as the network reads them. */
export type Parameters = {
  /** Nothing is trained: fused operations and prepared weights may be used. */
  readonly isFrozen: boolean;
  tensor(name: string): tf.Tensor2D;
  vector(name: string): tf.Tensor1D;
  host(name: string): Float32Array;
  /** Prepared recurrent weights; `undefined` while they are being trained. */
  recurrent(name: string): RecurrentWeights | undefined;
  /** Applies a mode's orthogonal map (METHOD.md section 3) or its inverse to rows. */
  rotate(mode: Mode, x: tf.Tensor2D, direction: 'map' | 'inverse'): tf.Tensor2D;
};

/** Number of self-attention layers of each mode; the two visual streams are joined by stacked ones (METHOD.md 1). */
export const SELF_LAYERS: Readonly<Record<(typeof MODES)[number], number>> = { text: 1, audio: 1, visual: 2 };

/** Every parameter of the network, in a fixed order. */
export function parameterSpecs(config: ModelConfig): ParameterSpec[] {
  return [...encoderSpecs(config), ...crossAttentionSpecs(config), ...fusionSpecs(config), ...contextSpecs(config)];
}

const tensor = (name: string, shape: readonly number[], start: ParameterSpec['start'] = 'uniform'): ParameterSpec => ({
  name,
  shape,
  place: 'tensor',
  start,
});
const host = (name: string, shape: readonly number[], start: ParameterSpec['start']): ParameterSpec => ({
  name,
  shape,
  place: 'host',
  start,
});
const norm = (name: string, width: number): ParameterSpec[] => [
  tensor(`${name}.gain`, [width], 'ones'),
  tensor(`${name}.bias`, [width], 'zeros'),
];

function encoderSpecs(config: ModelConfig): ParameterSpec[] {
  const d = config.width;
  const specs: ParameterSpec[] = [];
  for (const input of config.inputs) {
    const n = input.name;
    if (input.kind === 'tokens')
      specs.push(
        host(`${n}.word`, [config.vocabulary.length + 1, d], 'normal'),
        host(`${n}.ngram`, [config.buckets, d], 'normal'),
      );
    else {
      const out = input.kind === 'vector' ? input.tokens * d : d;
      specs.push(host(`${n}.mean`, [input.dim], 'zeros'), host(`${n}.scale`, [input.dim], 'ones'));
      specs.push(
        tensor(`${n}.project.w`, [rowWidth(input), out]),
        tensor(`${n}.project.b`, [out], 'zeros'),
        ...norm(`${n}.norm`, d),
      );
    }
    if (input.kind !== 'vector') specs.push(...bilstmSpecs(n, d, d / 2));
  }
  for (const mode of MODES) {
    if (!config.inputs.some((input) => modeOf(input.modality) === mode)) continue;
    for (let l = 0; l < SELF_LAYERS[mode]; l++) {
      const n = `${mode}.self.${l}`;
      specs.push(
        tensor(`${n}.q`, [d, d]),
        tensor(`${n}.kv`, [d, 2 * d]),
        tensor(`${n}.o`, [d, d]),
        ...norm(`${n}.norm`, d),
      );
    }
  }
  return specs;
}

function bilstmSpecs(name: string, inputs: number, hidden: number): ParameterSpec[] {
  return [
    tensor(`${name}.lstm.x`, [inputs, 8 * hidden]),
    tensor(`${name}.lstm.b`, [8 * hidden], 'forgetBias'),
    tensor(`${name}.lstm.forward`, [hidden, 4 * hidden]),
    tensor(`${name}.lstm.backward`, [hidden, 4 * hidden]),
  ];
}

function crossAttentionSpecs(config: ModelConfig): ParameterSpec[] {
  const d = config.width;
  const specs: ParameterSpec[] = [];
  for (let l = 0; l < config.layers; l++)
    for (const mode of MODES) {
      const n = `acn.${l}.${mode}`;
      specs.push(
        tensor(`${n}.q`, [d, d]),
        tensor(`${n}.kv`, [d, 2 * d]),
        tensor(`${n}.o`, [d, d]),
        ...norm(`${n}.norm1`, d),
      );
      specs.push(tensor(`${n}.ff1.w`, [d, config.feedForward]), tensor(`${n}.ff1.b`, [config.feedForward], 'zeros'));
      specs.push(
        tensor(`${n}.ff2.w`, [config.feedForward, d]),
        tensor(`${n}.ff2.b`, [d], 'zeros'),
        ...norm(`${n}.norm2`, d),
      );
    }
  return specs;
}

/** Length of what the fusion gate sees of a pair: both descriptors, their shares, substitution marks and mode names. */
export function gateInputWidth(width: number): number {
  return 2 * width + 4 + 2 * MODES.length;
}

function fusionSpecs(config: ModelConfig): ParameterSpec[] {
  const d = config.width;
  return [
    ...MODES.map((mode) => tensor(`joint.${mode}`, [config.reflections, d], 'normal')),
    tensor('fusion.hidden.w', [gateInputWidth(d), d]),
    tensor('fusion.hidden.b', [d], 'zeros'),
    tensor('fusion.gate.w', [d, d]),
    tensor('fusion.gate.b', [d], 'zeros'),
    ...MODES.flatMap((mode) => [
      tensor(`aux.${mode}.w`, [d, config.labels.length]),
      tensor(`aux.${mode}.b`, [config.labels.length], 'zeros'),
    ]),
  ];
}

function contextSpecs(config: ModelConfig): ParameterSpec[] {
  const fused = MODES.length * config.width;
  const c = config.contextHidden;
  return [
    ...bilstmSpecs('dialogue', fused, c),
    ...bilstmSpecs('speaker', fused, c),
    tensor('head.hidden.w', [fused + 4 * c, config.headHidden]),
    tensor('head.hidden.b', [config.headHidden], 'zeros'),
    tensor('head.out.w', [config.headHidden, config.labels.length]),
    tensor('head.out.b', [config.labels.length], 'zeros'),
  ];
}

/** Starting values for a seed: uniform ±1/√fan-in for matrices, forget-gate bias 1 (Jozefowicz et al. 2015). */
export function initialValues(config: ModelConfig, seed: number): Map<string, Float32Array> {
  return new Map(parameterSpecs(config).map((spec) => [spec.name, startValuesOf(spec, seed)]));
}

/** Starting values of one parameter. */
export function startValuesOf(spec: ParameterSpec, seed: number): Float32Array {
  return startValues(spec, deriveSeed(seed, spec.name));
}

function startValues(spec: ParameterSpec, seed: number): Float32Array {
  const size = spec.shape.reduce((a, b) => a * b, 1);
  const values = new Float32Array(size);
  const random = createRandom(seed);
  const bound = 1 / Math.sqrt(spec.shape[0] ?? 1);
  if (spec.start === 'ones') values.fill(1);
  if (spec.start === 'uniform') for (let i = 0; i < size; i++) values[i] = (2 * random() - 1) * bound;
  if (spec.start === 'normal')
    for (let i = 0; i < size; i++)
      values[i] = 0.1 * Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
  if (spec.start === 'forgetBias') {
    const hidden = size / 8;
    values.fill(1, hidden, 2 * hidden).fill(1, 5 * hidden, 6 * hidden);
  }
  return values;
}

/** Checks that `values` are exactly the parameters of `config`, in size and finite. @throws UndertoneError BAD_WEIGHTS */
export function checkValues(config: ModelConfig, values: ParameterValues): void {
  const specs = parameterSpecs(config);
  const names = new Set(specs.map((spec) => spec.name));
  for (const name of values.keys())
    if (!names.has(name)) throw new UndertoneError('BAD_WEIGHTS', `weights: unknown tensor "${name.slice(0, 80)}"`);
  for (const { name, shape } of specs) {
    const found = values.get(name);
    if (!found) throw new UndertoneError('BAD_WEIGHTS', `weights: tensor "${name}" is missing`);
    const size = shape.reduce((a, b) => a * b, 1);
    if (found.length !== size)
      throw new UndertoneError('BAD_WEIGHTS', `weights: tensor "${name}" must have shape [${shape.join(', ')}]`);
    if (!found.every(Number.isFinite))
      throw new UndertoneError('BAD_WEIGHTS', `weights: tensor "${name}" holds NaN or infinity`);
  }
}

/** Parameters that do not change: tensors made once, recurrent weights prepared once. Whoever opens them disposes them. */
export function freezeParameters(config: ModelConfig, values: ParameterValues): Parameters & { dispose(): void } {
  checkValues(config, values);
  const tensors = new Map<string, tf.Tensor>();
  const recurrent = new Map<string, RecurrentWeights>();
  for (const { name, shape, place } of parameterSpecs(config)) {
    const data = values.get(name) as Float32Array;
    if (place === 'host') continue;
    tensors.set(name, tf.keep(tf.tensor(data, [...shape], 'float32')));
    if (/\.lstm\.(forward|backward)$/.test(name)) recurrent.set(name, prepareRecurrent(data, shape[0] as number));
  }
  const rotations = new Map(MODES.map((mode) => [mode, rotationMatrices(tensors.get(`joint.${mode}`) as tf.Tensor2D)]));
  return {
    ...readers(tensors, values),
    isFrozen: true,
    recurrent: (name) => recurrent.get(name),
    rotate: (mode, x, direction) => tf.matMul(x, (rotations.get(mode) as RotationMatrices)[direction]),
    dispose: () => {
      tensors.forEach((t) => t.dispose());
      rotations.forEach((matrices) => tf.dispose([matrices.map, matrices.inverse]));
    },
  };
}

/** Readers over tensors and host arrays by name. @throws TypeError for a name the network does not have (a defect) */
export function readers(
  tensors: ReadonlyMap<string, tf.Tensor>,
  hosts: ParameterValues,
): Pick<Parameters, 'tensor' | 'vector' | 'host'> {
  const find = <T>(map: ReadonlyMap<string, T>, name: string): T => {
    const found = map.get(name);
    if (found === undefined) throw new TypeError(`no parameter named ${name}`);
    return found;
  };
  return {
    tensor: (name) => find(tensors, name) as tf.Tensor2D,
    vector: (name) => find(tensors, name) as tf.Tensor1D,
    host: (name) => find(hosts, name),
  };
}
