import * as tf from '@tensorflow/tfjs-core';
import { beforeEach, describe, expect, it } from 'vitest';

import { startBackend } from '../../../src/model/backend.ts';
import { type Kernels, kernels } from '../../../src/model/kernels/kernels.ts';
import { WASM_MODULE } from '../../../src/model/kernels/wasmModule.ts';

beforeEach(async () => {
  await startBackend('wasm');
});

const attached = (): Kernels => {
  const k = kernels();
  if (!k) throw new Error('no kernels on the wasm backend');
  return k;
};

describe('kernels', () => {
  it('are there on the wasm backend, the same ones each time, and not on the cpu backend.', async () => {
    expect(kernels()).toBe(attached());
    await startBackend('cpu');
    expect(kernels()).toBeUndefined();
  });

  it('are not there on a backend that keeps its memory in another way, which then runs the plain loops.', async () => {
    const real = tf.backend();
    const laidOutOtherwise = Object.create(real, {
      wasm: { value: {} },
      dispose: { value: () => undefined },
    }) as tf.KernelBackend;
    tf.registerBackend('other', () => laidOutOtherwise);
    try {
      expect(await tf.setBackend('other')).toBe(true);
      expect(kernels()).toBeUndefined();
    } finally {
      await tf.setBackend('wasm');
      tf.removeBackend('other');
    }
  });

  it('carry no data of their own, which would overwrite that of the backend whose memory they share.', () => {
    const bytes = Buffer.from(WASM_MODULE, 'base64');
    expect(sectionsOf(bytes)).not.toContain(11); // the data section
    expect(bytes.length).toBeLessThan(40_000);
  });

  it('address the values of a tensor where the backend keeps them.', () => {
    const x = tf.tensor1d([1, 2, 3, 4, 5, 6, 7, 8]);
    const y = attached().make<tf.Rank.R1>([8]);
    attached().run.drop(attached().at(y), attached().at(x), 8, 0, 2 ** 32 - 1, 3);
    expect([...y.dataSync()]).toEqual([3, 6, 9, 12, 15, 18, 21, 24]);
    tf.dispose([x, y]);
  });

  it('make tensors that the library counts and tidies like its own.', () => {
    const before = tf.memory().numTensors;
    tf.tidy(() => {
      attached().make<tf.Rank.R2>([3, 4]);
      expect(tf.memory().numTensors).toBe(before + 1);
    });
    expect(tf.memory().numTensors).toBe(before);
  });

  it('lend memory that is free again afterwards, also when its use throws.', () => {
    const addresses = new Set<number>();
    for (let i = 0; i < 200; i++)
      expect(() =>
        attached().lend([1 << 20, Int32Array.of(1, 2)], (a) => {
          addresses.add(a);
          throw new Error('no');
        }),
      ).toThrow('no');
    expect(addresses.size).toBeLessThan(10);
  });
});

/** Numbers of the sections of a WebAssembly module. */
function sectionsOf(bytes: Uint8Array): number[] {
  const sections: number[] = [];
  let at = 8;
  while (at < bytes.length) {
    sections.push(bytes[at++] as number);
    let length = 0;
    for (let shift = 0, byte = 128; byte >= 128; shift += 7) {
      byte = bytes[at++] as number;
      length += (byte & 127) * 2 ** shift;
    }
    at += length;
  }
  return sections;
}
