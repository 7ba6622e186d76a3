/** Word error rate: the fewest words to replace, leave out and put in, over the words of `reference`. Case does not count. */
export function wordErrorRate(reference: string, heard: string): number {
  const [wanted, found] = [toWords(reference), toWords(heard)];
  let row = Array.from({ length: found.length + 1 }, (_, index) => index);
  for (const [at, word] of wanted.entries()) {
    const next = [at + 1];
    for (const [index, other] of found.entries()) {
      const same = (row[index] ?? 0) + (word === other ? 0 : 1);
      next.push(Math.min(same, (row[index + 1] ?? 0) + 1, (next[index] ?? 0) + 1));
    }
    row = next;
  }
  return (row.at(-1) ?? 0) / wanted.length;
}

function toWords(text: string): string[] {
  return text.toLowerCase().match(/[\p{L}']+/gu) ?? [];
}
