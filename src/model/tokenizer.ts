/** One word as the text encoder sees it: its row in the vocabulary (0 = unknown) and its hashed n-grams. */
export type Token = { readonly word: number; readonly grams: readonly number[] };

/** More words than this are not read; an utterance lasts at most 12 s, so real speech stays well below. */
export const MAX_TOKENS = 64;
const MAX_GRAMS = 24;
const MAX_WORD = 40;

/**
 * Splits text into lower-case words, numbers and the marks `! ? … , .`, which carry emotion. Apostrophes are one
 * character, so that "don’t" and "don't" are one word. At most {@link MAX_TOKENS} words.
 */
export function toWords(text: string): string[] {
  const plain = text
    .normalize('NFKC')
    .replace(/[’‘`´]/g, "'")
    .replace(/\.{2,}/g, '…')
    .toLowerCase();
  return (plain.match(/[\p{L}\p{M}\p{N}]+(?:'[\p{L}\p{M}]+)*|[!?…,.]/gu) ?? []).slice(0, MAX_TOKENS);
}

/** Makes a function from text to tokens for one vocabulary. */
export function createTokenizer(vocabulary: readonly string[], buckets: number): (text: string) => Token[] {
  const rows = new Map(vocabulary.map((word, i) => [word, i + 1]));
  return (text) => toWords(text).map((word) => ({ word: rows.get(word) ?? 0, grams: hashedGrams(word, buckets) }));
}

/**
 * Rows of the character 3- to 5-grams of `<word>`, hashed with FNV-1a. Unknown and misspelt words still mean something.
 * Source: Bojanowski et al. 2017, arXiv 1607.04606.
 */
export function hashedGrams(word: string, buckets: number): number[] {
  const padded = `<${word.slice(0, MAX_WORD)}>`;
  const grams: number[] = [];
  for (let size = 3; size <= 5; size++)
    for (let at = 0; at + size <= padded.length && grams.length < MAX_GRAMS; at++)
      grams.push(fnv1a(padded.slice(at, at + size)) % buckets);
  return grams;
}

function fnv1a(text: string): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193);
  return hash >>> 0;
}

/** The words that occur at least `minCount` times, most frequent first, ties in alphabetical order. */
export function buildVocabulary(texts: Iterable<string>, minCount: number, maxWords = 20_000): string[] {
  const counts = new Map<string, number>();
  for (const text of texts) for (const word of toWords(text)) counts.set(word, (counts.get(word) ?? 0) + 1);
  return [...counts]
    .filter(([, count]) => count >= minCount)
    .sort(([a, m], [b, n]) => n - m || (a < b ? -1 : 1))
    .slice(0, maxWords)
    .map(([word]) => word);
}
