import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { buildPoseTask } from '../../../../adapters/vision/mediapipe/buildPoseTask.ts';
import { encodeFlatbuffer } from '../../../../adapters/vision/mediapipe/flatbuffer.ts';
import { MODEL_CATALOGUE } from '../../../../adapters/vision/mediapipe/modelCatalogue.ts';
import { storedZip } from '../../../../adapters/vision/mediapipe/storedZip.ts';
import { imageMetadata, withMetadata } from '../../../../adapters/vision/mediapipe/tfliteMetadata.ts';

describe('buildPoseTask', () => {
  it('gives the bytes of the catalogue, every time', async () => {
    const pose = MODEL_CATALOGUE.find(({ name }) => name === 'pose');
    for (let time = 0; time < 2; time++) {
      const bytes = await buildPoseTask();
      expect(bytes.length).toBe(pose?.sizeBytes);
      expect(createHash('sha256').update(bytes).digest('hex')).toBe(pose?.sha256);
    }
  });
});

describe('storedZip', () => {
  it('keeps each file whole, named and aligned to 16 bytes', () => {
    const entries = [
      { name: 'a', content: Uint8Array.of(1, 2, 3) },
      { name: 'a longer name', content: new Uint8Array(50).fill(7) },
      { name: 'empty', content: new Uint8Array(0) },
    ];
    const zip = Buffer.from(storedZip(entries));
    expect(zip.readUInt16LE(zip.length - 12)).toBe(3);
    let central = zip.readUInt32LE(zip.length - 6);
    for (const { name, content } of entries) {
      const nameLength = zip.readUInt16LE(central + 28);
      expect(zip.toString('utf8', central + 46, central + 46 + nameLength)).toBe(name);
      const local = zip.readUInt32LE(central + 42);
      const start = local + 30 + zip.readUInt16LE(local + 26) + zip.readUInt16LE(local + 28);
      expect(start % 16).toBe(0);
      expect(new Uint8Array(zip.subarray(start, start + content.length))).toEqual(content);
      central += 46 + nameLength;
    }
  });

  it('has the checksum that zip readers expect', () => {
    const zip = Buffer.from(storedZip([{ name: 'x', content: new TextEncoder().encode('123456789') }]));
    expect(zip.readUInt32LE(14)).toBe(0xcbf43926);
  });
});

describe('encodeFlatbuffer', () => {
  it('writes a root whose references point forward to what they name', () => {
    const bytes = encodeFlatbuffer('TEST', [[1, { text: 'name' }]]);
    const view = new DataView(bytes.buffer);
    const root = view.getUint32(0, true);
    const vtable = root - view.getInt32(root, true);
    expect(new TextDecoder().decode(bytes.subarray(4, 8))).toBe('TEST');
    expect(view.getUint16(vtable + 4, true)).toBe(0);
    const slot = root + view.getUint16(vtable + 6, true);
    const text = slot + view.getUint32(slot, true);
    expect(view.getUint32(text, true)).toBe(4);
    expect(new TextDecoder().decode(bytes.subarray(text + 4, text + 8))).toBe('name');
  });

  it('refuses what does not fit', () => {
    expect(() => encodeFlatbuffer('TEST', [[0, { floats: new Array<number>(2_000).fill(0) }]])).toThrow(RangeError);
  });
});

describe('withMetadata', () => {
  it('refuses what is not a TFLite model', () => {
    const metadata = imageMetadata({ name: 'x', mean: 0, deviation: 1 });
    expect(() => withMetadata(new Uint8Array(64), metadata)).toThrow(RangeError);
  });
});
