// Everything that the analysis of sound calls. Built by `npm run build:kernels` into ../wasmModule.ts.
export { cross, cosine, normalise, normaliseCross, pack } from './correlate';
export { fft, power } from './fft';
export { dot, windowed, windowedPower } from './frames';
