/** What we use of fft.js 4.0, which ships no types. Complex arrays interleave real and imaginary parts. */
declare module 'fft.js' {
  class FFT {
    constructor(size: number);
    createComplexArray(): number[];
    /** Fills bins 0 … size/2 of `out` only. */
    realTransform(out: number[], real: readonly number[]): void;
    transform(out: number[], complex: readonly number[]): void;
  }
  export = FFT;
}
