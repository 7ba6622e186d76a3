import type { Token } from './tokenizer.ts';

/** Host embedding tables, row-major: `word` `[vocabulary + 1, width]` (row 0 = unknown), `ngram` `[buckets, width]`. */
export type EmbeddingTables = { readonly word: Float32Array; readonly ngram: Float32Array; readonly width: number };

/**
 * Embeds words: word vector plus mean of its n-gram vectors, `[words × width]`. An unknown word has n-grams only.
 * Source: METHOD.md section 1; Bojanowski et al. 2017, arXiv 1607.04606.
 */
export function embedTokens(tables: EmbeddingTables, tokens: readonly Token[]): Float32Array {
  const { width, word, ngram } = tables;
  const out = new Float32Array(tokens.length * width);
  tokens.forEach((token, i) => {
    addRow(out, i * width, word, token.word * width, width, token.word === 0 ? 0 : 1);
    for (const gram of token.grams) addRow(out, i * width, ngram, gram * width, width, 1 / token.grams.length);
  });
  return out;
}

/** Adds the gradient of {@link embedTokens} to sparse row gradients, keyed by row. */
export function embeddingGradient(
  width: number,
  tokens: readonly Token[],
  dy: Float32Array,
  rows: { readonly word: Map<number, Float32Array>; readonly ngram: Map<number, Float32Array> },
): void {
  tokens.forEach((token, i) => {
    if (token.word !== 0) addRow(rowOf(rows.word, token.word, width), 0, dy, i * width, width, 1);
    for (const gram of token.grams)
      addRow(rowOf(rows.ngram, gram, width), 0, dy, i * width, width, 1 / token.grams.length);
  });
}

function rowOf(rows: Map<number, Float32Array>, row: number, width: number): Float32Array {
  const found = rows.get(row) ?? new Float32Array(width);
  rows.set(row, found);
  return found;
}

function addRow(
  to: Float32Array,
  toAt: number,
  from: Float32Array,
  fromAt: number,
  width: number,
  scale: number,
): void {
  if (scale === 0) return;
  for (let k = 0; k < width; k++) to[toAt + k] = (to[toAt + k] as number) + scale * (from[fromAt + k] as number);
}
