/**
 * Yields the bytes of `chunks` again in blocks of exactly `sizeBytes`, each in memory of its own; the last one may be
 * shorter. Holds one block. Leaving early leaves `chunks` too.
 */
export async function* toBlocks(
  chunks: AsyncIterable<Uint8Array>,
  sizeBytes: number,
): AsyncGenerator<Uint8Array<ArrayBuffer>> {
  let block = new Uint8Array(sizeBytes);
  let filled = 0;
  for await (const chunk of chunks) {
    for (let at = 0; at < chunk.length;) {
      const part = chunk.subarray(at, at + sizeBytes - filled);
      block.set(part, filled);
      at += part.length;
      filled += part.length;
      if (filled < sizeBytes) continue;
      yield block;
      block = new Uint8Array(sizeBytes);
      filled = 0;
    }
  }
  if (filled > 0) yield block.slice(0, filled);
}
