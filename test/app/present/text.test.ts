import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { cleanText } from '../../../src/app/present/cleanText.ts';
import { displayWidth, fit, truncate } from '../../../src/app/present/textWidth.ts';

const anyText = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 30 }),
  fc.string({ unit: 'grapheme', maxLength: 30 }),
  fc
    .array(
      fc.constantFrom(
        '\u001b[',
        '\u001b]0;',
        '\u0007',
        '31m',
        'a',
        ' ',
        '\n',
        '一',
        '🎉',
        '\u202e',
        '\u009b',
        '\ud800',
      ),
    )
    .map((all) => all.join('')),
);

describe('cleanText', () => {
  it('takes whole escape sequences away, so that a speaker cannot recolour, retitle or clear the terminal', () => {
    expect(cleanText('a\u001b[31mred\u001b[0m b')).toBe('ared b');
    expect(cleanText('\u001b]0;owned\u0007title')).toBe('title');
    expect(cleanText('\u001b]8;;http://evil\u001b\\link\u001b]8;;\u001b\\')).toBe('link');
    expect(cleanText('\u009b2Jgone\u001bc\u001bP1$q\u001b\\.')).toBe('gone.');
  });

  it('turns line breaks and tabs into one blank and drops other control characters', () => {
    expect(cleanText('  one\r\n\ttwo\u0000\u0008\u2028three ')).toBe('one two three');
  });

  it('drops bidirectional overrides and tags, and keeps joined emoji, accents and other scripts whole', () => {
    expect(cleanText('user\u202egpj.exe')).toBe('usergpj.exe');
    expect(cleanText('👨‍👩‍👧 é 一緒 हिन्दी')).toBe('👨‍👩‍👧 é 一緒 हिन्दी');
  });

  it('replaces half of a surrogate pair, which no file can hold', () => {
    expect(cleanText('a\ud800b\ufffe')).toBe('a\ufffdb\ufffd');
  });

  it('never leaves a control character or a line break in any text', () => {
    fc.assert(
      fc.property(anyText, (text) => {
        expect(cleanText(text)).not.toMatch(/[\p{Cc}\p{Surrogate}\u2028\u2029\u202a-\u202e\u2066-\u2069]/u);
      }),
    );
  });

  it('changes nothing the second time', () => {
    fc.assert(
      fc.property(anyText, (text) => {
        expect(cleanText(cleanText(text))).toBe(cleanText(text));
      }),
    );
  });
});

describe('displayWidth', () => {
  it('counts cells, not characters', () => {
    const widths = ['abc', 'é', 'e\u0301', '一緒', 'ｶ', '🎉', '👨‍👩‍👧', '🇩🇪', '❤️', '…', '▇'].map(displayWidth);
    expect(widths).toEqual([3, 1, 1, 4, 1, 2, 2, 2, 2, 1, 1]);
  });
});

describe('truncate', () => {
  it('cuts with an ellipsis and never through a wide character or a joined emoji', () => {
    expect(truncate('I got the job!', 9)).toBe('I got th…');
    expect(truncate('一緒に行こう', 6)).toBe('一緒…');
    expect(truncate('a👨‍👩‍👧b', 3)).toBe('a…');
    expect(truncate('short', 5)).toBe('short');
    expect(truncate('any', 0)).toBe('');
  });

  it('is never wider than asked, and fit is exactly as wide as asked', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme', maxLength: 40 }), fc.integer({ min: 1, max: 30 }), (text, width) => {
        expect(displayWidth(truncate(text, width))).toBeLessThanOrEqual(width);
        expect(displayWidth(fit(text, width))).toBe(width);
      }),
    );
  });
});
