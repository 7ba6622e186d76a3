import { WASM_MODULE } from './wasmModule.ts';

/** The few names of WebAssembly that are used here: Node's types lack them without the DOM library. */
type Memory = { readonly buffer: ArrayBuffer };
declare const WebAssembly: {
  readonly Memory: new (size: { readonly initial: number }) => Memory;
  readonly Module: new (bytes: Uint8Array) => object;
  readonly Instance: new (
    module: object,
    imports: { readonly env: { readonly memory: Memory } },
  ) => { readonly exports: unknown };
};

/** Functions of simd/index.as: arguments are places in memory (`byteOffset` of an array of it), counts and numbers. */
type Functions = Readonly<
  Record<
    | 'cosine'
    | 'cross'
    | 'dot'
    | 'fft'
    | 'normalise'
    | 'normaliseCross'
    | 'pack'
    | 'power'
    | 'windowed'
    | 'windowedPower',
    (...args: number[]) => number
  >
>;

/** Kernels of 64-bit arithmetic in WebAssembly (SIMD), and the memory they work in. */
export type SignalKernels = {
  readonly run: Functions;
  /** An array of zeros in the memory of the kernels; it is never given back. @throws RangeError when the memory is full */
  doubles(length: number): Float64Array;
  /** The same of 32-bit numbers. */
  singles(length: number): Float32Array;
};

const PAGE_BYTES = 65_536;
/** 1 MiB is enough for the tables of any meter at 48 kHz; what is not used is not resident. */
const PAGES = 16;

let compiled: object | undefined;

/** Returns kernels with a memory of their own. The module is compiled once. */
export function createSignalKernels(): SignalKernels {
  compiled ??= new WebAssembly.Module(
    Uint8Array.from(atob(WASM_MODULE), (character: string) => character.charCodeAt(0)),
  );
  const memory = new WebAssembly.Memory({ initial: PAGES });
  const { exports } = new WebAssembly.Instance(compiled, { env: { memory } });
  let used = 16;
  const take = (bytes: number): number => {
    const at = used;
    used += Math.ceil(bytes / 16) * 16;
    if (used > PAGES * PAGE_BYTES) throw new RangeError(`the kernels have ${PAGES * PAGE_BYTES} bytes, not ${used}`);
    return at;
  };
  return {
    run: exports as Functions,
    doubles: (length) => new Float64Array(memory.buffer, take(8 * length), length),
    singles: (length) => new Float32Array(memory.buffer, take(4 * length), length),
  };
}

/** The factors that the kernel `fft` needs for `n` complex numbers, pass after pass, in the memory of the kernels. */
export function radixFactors(kernels: SignalKernels, n: number): Float64Array {
  const factors: number[] = [];
  for (let size = n; size > 2; size /= 4)
    for (let p = 0; p < size / 4; p++)
      for (const multiple of [1, 2, 3]) {
        const angle = (2 * Math.PI * p * multiple) / size;
        factors.push(Math.cos(angle), -Math.sin(angle));
      }
  const table = kernels.doubles(factors.length);
  table.set(factors);
  return table;
}

/** Cosine and sine of πk/m for k = 0 … m, in the memory of the kernels. */
export function halfTurn(kernels: SignalKernels, m: number): Float64Array {
  const table = kernels.doubles(2 * (m + 1));
  for (let k = 0; k <= m; k++) {
    table[2 * k] = Math.cos((Math.PI * k) / m);
    table[2 * k + 1] = Math.sin((Math.PI * k) / m);
  }
  return table;
}

/** Writes the `to.length` samples from `start` on to `to`; those outside of the sound are 0. */
export function copySamples(samples: Float32Array, start: number, to: Float32Array): void {
  const from = Math.max(0, start);
  const until = Math.min(samples.length, start + to.length);
  if (until - from < to.length) to.fill(0);
  if (until > from) to.set(samples.subarray(from, until), from - start);
}
