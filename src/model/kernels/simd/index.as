// Everything that the model calls. Built by `npm run build:kernels` into ../wasmModule.ts.
export { map } from './math';
export { gemm, reluGradient, sumRows } from './gemm';
export { activate, lstmBackward, lstmForward } from './lstm';
export { attendBackward, attendForward } from './attention';
export { drop, gather, mean, normBackward, normForward, reflect, reflectBackward, scatter, spread } from './rows';
