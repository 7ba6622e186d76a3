import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isSpeakerName, speakerFromName, UNKNOWN_SPEAKER } from '../../src/domain/speaker.ts';

const idOf = (name: string): string => speakerFromName(name, 'captions').id;

describe('speakerFromName', () => {
  it('keeps the name and its source, and makes a readable id', () => {
    expect(speakerFromName('Ada Lovelace', 'captions')).toEqual({
      id: 'Ada-Lovelace',
      name: 'Ada Lovelace',
      source: 'captions',
    });
    expect(idOf('Зоя_2')).toBe('Зоя_2');
    expect(idOf('🙂 Bo')).toBe('~1f642~-Bo');
  });

  it('gives one id to one name whatever the source', () => {
    expect(speakerFromName('Ada', 'track').id).toBe(speakerFromName('Ada', 'rttm').id);
  });

  it('takes names that differ only in blanks, controls or Unicode form for one name', () => {
    expect(speakerFromName(' Ada \t\u0007 Lovelace\n', 'track').name).toBe('Ada Lovelace');
    expect(idOf('Zoe\u0308')).toBe(idOf('Zo\u00EB'));
  });

  it.each([
    ['Ada', 'ada'],
    ['Ada Lovelace', 'Ada-Lovelace'],
    ['A B', 'A_B'],
    ['🙂', '🙃'],
    ['🙂', '~1f642~'],
    ['A.B', 'A/B'],
  ])('gives %s and %s different ids', (one, other) => {
    expect(idOf(one)).not.toBe(idOf(other));
  });

  it('does not mistake a participant called unknown for the unknown speaker', () => {
    expect(idOf('unknown')).not.toBe(UNKNOWN_SPEAKER.id);
    expect(speakerFromName('unknown', 'captions').name).toBe('unknown');
  });

  it.each(['', ' ', '\n\t\u0000'])('refuses a name without a visible character', (name) => {
    expect(isSpeakerName(name)).toBe(false);
    expect(() => speakerFromName(name, 'captions')).toThrow(RangeError);
  });

  it('maps different names to different ids and equal names to equal ids, whatever the characters', () => {
    const name = fc.oneof(
      fc.string({ unit: 'binary', maxLength: 6 }),
      fc.string({ unit: fc.constantFrom(...'aA-~ _1f') }),
    );
    fc.assert(
      fc.property(name.filter(isSpeakerName), name.filter(isSpeakerName), (one, other) => {
        const [a, b] = [speakerFromName(one, 'captions'), speakerFromName(other, 'captions')];
        expect(a.id === b.id).toBe(a.name === b.name);
        expect(speakerFromName(a.name, 'captions')).toEqual(a);
        expect(a.id).not.toBe(UNKNOWN_SPEAKER.id);
      }),
      { numRuns: 500 },
    );
  });
});
