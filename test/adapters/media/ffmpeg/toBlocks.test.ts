import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { toBlocks } from '../../../../adapters/media/ffmpeg/toBlocks.ts';

async function* from(chunks: readonly Uint8Array[], onEnd = (): void => undefined): AsyncGenerator<Uint8Array> {
  try {
    yield* chunks;
  } finally {
    onEnd();
  }
}

describe('toBlocks', () => {
  it('keeps every byte, once and in order, in blocks of the size asked for, however they arrive', async () => {
    const chunk = fc.uint8Array({ maxLength: 40 });
    await fc.assert(
      fc.asyncProperty(
        fc.array(chunk, { maxLength: 20 }),
        fc.integer({ min: 1, max: 64 }),
        async (chunks, sizeBytes) => {
          const blocks: Uint8Array[] = [];
          for await (const block of toBlocks(from(chunks), sizeBytes)) blocks.push(block);
          expect(blocks.flatMap((block) => [...block])).toEqual(chunks.flatMap((bytes) => [...bytes]));
          for (const block of blocks.slice(0, -1)) expect(block.length).toBe(sizeBytes);
          expect(blocks.at(-1)?.length ?? sizeBytes).toBeLessThanOrEqual(sizeBytes);
        },
      ),
    );
  });

  it('yields nothing of nothing', async () => {
    for await (const _ of toBlocks(from([new Uint8Array(0)]), 4)) expect.unreachable();
  });

  it('gives each block memory of its own, not that of the chunk', async () => {
    const chunk = Uint8Array.of(1, 2, 3, 4);
    const blocks: Uint8Array[] = [];
    for await (const block of toBlocks(from([chunk]), 2)) blocks.push(block);
    chunk.fill(9);
    expect(blocks).toEqual([Uint8Array.of(1, 2), Uint8Array.of(3, 4)]);
  });

  it('ends its source when the loop is left early', async () => {
    let ends = 0;
    const source = from([new Uint8Array(8), new Uint8Array(8)], () => (ends += 1));
    for await (const _ of toBlocks(source, 4)) break;
    expect(ends).toBe(1);
  });
});
