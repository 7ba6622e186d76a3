import * as tf from '@tensorflow/tfjs-core';
import { WASM_MODULE } from './wasmModule.ts';

/** The few names of WebAssembly that are used here: Node's types lack them without the DOM library. */
type Memory = { readonly buffer: ArrayBuffer };
declare const WebAssembly: {
  readonly Memory: abstract new () => Memory;
  readonly Module: new (bytes: Uint8Array) => object;
  readonly Instance: new (
    module: object,
    imports: { readonly env: { readonly memory: Memory } },
  ) => { readonly exports: unknown };
  validate(bytes: Uint8Array): boolean;
};

/** Functions of simd/index.as: arguments are addresses (bytes), counts and scales. */
type Functions = Readonly<
  Record<
    | 'map'
    | 'gemm'
    | 'sumRows'
    | 'reluGradient'
    | 'activate'
    | 'lstmForward'
    | 'lstmBackward'
    | 'attendForward'
    | 'attendBackward'
    | 'normForward'
    | 'normBackward'
    | 'gather'
    | 'scatter'
    | 'mean'
    | 'spread'
    | 'drop'
    | 'reflect'
    | 'reflectBackward',
    (...args: number[]) => void
  >
>;

/** Kernels that work inside the memory of the tensor backend, so that nothing is copied. */
export type Kernels = {
  readonly run: Functions;
  /** Address of a tensor's values. It stays valid while the tensor lives. */
  at(tensor: tf.Tensor): number;
  /** A tensor whose values are not set yet. */
  make<R extends tf.Rank>(shape: tf.ShapeMap[R]): tf.Tensor<R>;
  /** A copy of `length` values at an address. */
  read(address: number, length: number): Float32Array;
  /** Runs `use` with the addresses of copies of arrays, and of as many bytes of scratch as a number says; then frees them. */
  lend(parts: readonly (Int32Array | Float32Array | number)[], use: (...addresses: number[]) => void): void;
};

/** What the kernels need of the wasm backend of tfjs 4.22; none of it is declared stable, so it is looked at first. */
type Heap = {
  readonly wasm: {
    readonly asm: { readonly memory: Memory };
    _malloc(bytes: number): number;
    _free(address: number): void;
  };
  readonly dataIdMap: { get(id: object): { readonly memoryOffset: number } };
  makeOutput(shape: readonly number[], dtype: 'float32'): tf.TensorInfo;
};

const kernelsOf = new WeakMap<object, Kernels | 'none'>();

/**
 * The kernels of the backend that is in use, or `undefined` where there are none: on the cpu backend, without
 * WebAssembly SIMD, or when the backend is not laid out as this version knows it. Then the plain loops of ops/ run.
 */
export function kernels(): Kernels | undefined {
  const backend: object = tf.backend();
  let found = kernelsOf.get(backend);
  if (!found) kernelsOf.set(backend, (found = attach(backend) ?? 'none'));
  return found === 'none' ? undefined : found;
}

function attach(backend: object): Kernels | undefined {
  if (!isHeap(backend)) return undefined;
  const bytes = Uint8Array.from(atob(WASM_MODULE), (character) => character.charCodeAt(0));
  if (!WebAssembly.validate(bytes)) return undefined;
  const { memory } = backend.wasm.asm;
  const { exports } = new WebAssembly.Instance(new WebAssembly.Module(bytes), { env: { memory } });
  return {
    run: exports as Functions,
    at: (tensor) => backend.dataIdMap.get(tensor.dataId).memoryOffset,
    make: <R extends tf.Rank>(shape: tf.ShapeMap[R]) =>
      tf.engine().makeTensorFromTensorInfo(backend.makeOutput(shape, 'float32')) as tf.Tensor<R>,
    read: (address, length) => new Float32Array(memory.buffer, address, length).slice(),
    lend: (parts, use) => {
      const addresses = parts.map((part) => backend.wasm._malloc(typeof part === 'number' ? part : part.byteLength));
      parts.forEach((part, i) => {
        const address = addresses[i] as number;
        if (part instanceof Int32Array) new Int32Array(memory.buffer, address, part.length).set(part);
        else if (typeof part !== 'number') new Float32Array(memory.buffer, address, part.length).set(part);
      });
      try {
        use(...addresses);
      } finally {
        for (const address of addresses) backend.wasm._free(address);
      }
    },
  };
}

function isHeap(backend: object): backend is Heap {
  const { wasm, dataIdMap, makeOutput } = backend as Partial<Heap>;
  return (
    wasm?.asm?.memory instanceof WebAssembly.Memory &&
    typeof wasm._malloc === 'function' &&
    typeof wasm._free === 'function' &&
    typeof dataIdMap?.get === 'function' &&
    typeof makeOutput === 'function'
  );
}
