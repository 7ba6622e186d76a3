import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { buildVocabulary, createTokenizer, hashedGrams, MAX_TOKENS, toWords } from '../../src/model/tokenizer.ts';

describe('toWords', () => {
  it('splits into lower-case words, numbers and the marks that carry emotion.', () => {
    expect(toWords('Well, I have 2 dogs!')).toEqual(['well', ',', 'i', 'have', '2', 'dogs', '!']);
  });

  it.each([
    ['don’t', "don't"],
    ['don‘t', "don't"],
    ['don`t', "don't"],
    ["rock'n'roll", "rock'n'roll"],
  ])('reads %s as one word: apostrophes are one character.', (text, word) => {
    expect(toWords(text)).toEqual([word]);
  });

  it('drops quotation marks around a word, dashes, brackets and pictures.', () => {
    expect(toWords('\'so\' (what) – "yes" 🙂 #tag')).toEqual(['so', 'what', 'yes', 'tag']);
  });

  it('reads two dots or more, and the one character for them, as one mark.', () => {
    for (const dots of ['..', '...', '.......', '…']) expect(toWords(`no${dots}`)).toEqual(['no', '…']);
    expect(toWords('no.')).toEqual(['no', '.']);
  });

  it('reads wide and composed characters as their plain form, in any script.', () => {
    expect(toWords('Ｗｏｗ！')).toEqual(['wow', '!']);
    expect(toWords('cafe\u0301')).toEqual(toWords('café'));
    expect(toWords('Привет, мир')).toEqual(['привет', ',', 'мир']);
  });

  it('reads no more than its limit, and nothing in nothing.', () => {
    expect(toWords('a '.repeat(500)).length).toBe(MAX_TOKENS);
    expect(toWords('')).toEqual([]);
    expect(toWords('–– ()')).toEqual([]);
  });

  it('is total: any text gives a bounded list of words without blanks, lone surrogates included.', () => {
    const text = fc.array(fc.nat(0x10ffff), { maxLength: 60 }).map((points) => String.fromCodePoint(...points));
    fc.assert(
      fc.property(text, (given) => {
        const words = toWords(given);
        expect(words.length).toBeLessThanOrEqual(MAX_TOKENS);
        expect(words.every((word) => word.length > 0 && !/\s/u.test(word))).toBe(true);
      }),
    );
  });

  it('gives the same words when asked for its own words again.', () => {
    fc.assert(
      fc.property(fc.array(fc.constantFrom('no', "don't", '!', '…', 'ça', '42'), { maxLength: 30 }), (words) => {
        expect(toWords(words.join(' '))).toEqual(words);
      }),
    );
  });
});

describe('createTokenizer', () => {
  const tokenize = createTokenizer(['no', 'yes'], 32);

  it('gives each word its row, beginning at 1; row 0 is an unknown word.', () => {
    expect(tokenize('Yes no maybe').map(({ word }) => word)).toEqual([2, 1, 0]);
  });

  it('does not take the names of object members for known words.', () => {
    expect(tokenize('constructor __proto__').every(({ word }) => word === 0)).toBe(true);
  });

  it('gives known and unknown words n-grams within the table.', () => {
    fc.assert(
      fc.property(fc.string({ maxLength: 50 }), fc.integer({ min: 16, max: 100 }), (text, buckets) => {
        for (const { grams } of createTokenizer([], buckets)(text)) {
          expect(grams.length).toBeGreaterThan(0);
          expect(grams.every((gram) => Number.isInteger(gram) && gram >= 0 && gram < buckets)).toBe(true);
        }
      }),
    );
  });
});

describe('hashedGrams', () => {
  it('hashes the 3- to 5-grams of the word between its boundaries.', () => {
    expect(hashedGrams('a', 1000).length).toBe(1); // <a>
    expect(hashedGrams('no', 1000).length).toBe(3); // <no no> <no>
    expect(hashedGrams('yes', 1000).length).toBe(6); // <ye yes es> <yes yes> <yes>
  });

  it('gives the values of the published hash.', () => {
    const fnv = (text: string): number =>
      Number([...text].reduce((h, c) => ((h ^ BigInt(c.charCodeAt(0))) * 16777619n) % 2n ** 32n, 2166136261n));
    expect(hashedGrams('no', 8192)).toEqual(['<no', 'no>', '<no>'].map((gram) => fnv(gram) % 8192));
  });

  it('lets a misspelt word share most n-grams with the right one, and a different word few.', () => {
    const shared = (a: string, b: string): number => {
      const other = new Set(hashedGrams(b, 1 << 20));
      return hashedGrams(a, 1 << 20).filter((gram) => other.has(gram)).length;
    };
    expect(shared('seriously', 'seriosly')).toBeGreaterThanOrEqual(8);
    expect(shared('seriously', 'banana')).toBe(0);
  });

  it('hashes a bounded number, however long the word.', () => {
    expect(hashedGrams('a'.repeat(10_000), 64).length).toBe(24);
  });
});

describe('buildVocabulary', () => {
  it('keeps words that occur often enough, most frequent first, ties in alphabetical order.', () => {
    expect(buildVocabulary(['no no yes', 'yes zoo ant', 'no zoo ant once'], 2)).toEqual(['no', 'ant', 'yes', 'zoo']);
  });

  it('keeps at most as many as asked, and none of nothing.', () => {
    expect(buildVocabulary(['b a c'], 1, 2)).toEqual(['a', 'b']);
    expect(buildVocabulary([], 1)).toEqual([]);
  });
});
