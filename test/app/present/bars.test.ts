import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { barOf, weightBars, weightCells } from '../../../src/app/present/bars.ts';
import { colourDepth, createPaint, paintLine } from '../../../src/app/present/paint.ts';
import { speakerStyle, swatchOf } from '../../../src/app/present/palette.ts';
import { displayWidth } from '../../../src/app/present/textWidth.ts';
import { countText, durationText, percentText, timeText } from '../../../src/app/present/wording.ts';
import { LABELS } from '../../support/sampleInsights.ts';
import { weights } from '../../protocol/arbitraryInsight.ts';
import { captureOutput } from './captureOutput.ts';

describe('barOf', () => {
  it('fills in half cells', () => {
    expect(barOf(0.72, 10)).toEqual({ filled: '━━━━━━━', track: '───' });
    expect(barOf(0.75, 10)).toEqual({ filled: '━━━━━━━╸', track: '──' });
    expect(barOf(2, 3)).toEqual({ filled: '━━━', track: '' });
  });

  it('always takes the asked width', () => {
    fc.assert(
      fc.property(fc.double({ noNaN: true }), fc.integer({ min: 0, max: 60 }), (ratio, width) => {
        const { filled, track } = barOf(ratio, width);
        expect(filled.length + track.length).toBe(width);
      }),
    );
  });
});

describe('the bars of modality weights', () => {
  it('share the cells by weight, the last cell as high as the rest, and leave absent modalities out', () => {
    expect(weightBars({ text: 0.6, audio: 0.4, face: 0, body: 0 }, 6)).toBe('T▇▇▇▄ A▇▇▃');
    expect(weightBars({ text: 0, audio: 1, face: 0, body: 0 }, 4)).toBe('A▇▇▇▇');
    expect(weightCells({ text: 0.6, audio: 0.4, face: 0, body: 0 })).toBe('T▄A▃');
    expect(weightBars({ text: 0, audio: 0, face: 0, body: 0 }, 4)).toBe('');
  });

  it('fit the columns kept for them, and show every present modality however small', () => {
    fc.assert(
      fc.property(weights, (given) => {
        const present = Object.values(given).filter((weight) => weight > 0).length;
        expect(displayWidth(weightBars(given, 5))).toBeLessThanOrEqual(15);
        expect(weightBars(given, 5).match(/[TAFB][▁-▇]+/g) ?? []).toHaveLength(present);
        expect(weightCells(given)).toHaveLength(present * 2);
      }),
    );
  });
});

describe('colours', () => {
  it('are off for anything but a terminal, for NO_COLOR and for a dumb terminal', () => {
    const terminal = captureOutput({ columns: 80, rows: 24 });
    expect(colourDepth(terminal, {})).toBe(8);
    expect(colourDepth(terminal, { NO_COLOR: '' })).toBe(8);
    expect(colourDepth(terminal, { NO_COLOR: '1' })).toBe(1);
    expect(colourDepth(terminal, { TERM: 'dumb' })).toBe(1);
    expect(colourDepth(captureOutput(), {})).toBe(1);
  });

  it('use what the terminal can show', () => {
    const style = { bold: true, ...swatchOf('joy') };
    expect(createPaint(1)('x', style)).toBe('x');
    expect(createPaint(4)('x', style)).toBe('\u001b[1;33mx\u001b[0m');
    expect(createPaint(8)('x', style)).toBe('\u001b[1;38;5;214mx\u001b[0m');
  });

  it('cut a line across its spans and count cells, not escape codes', () => {
    const spans = [{ text: 'Anna: ', style: { bold: true } }, { text: '一緒に行こう' }, { text: ' end' }];
    expect(paintLine(spans, 11, createPaint(1))).toBe('Anna: 一緒…');
    expect(paintLine([{ text: 'a  ' }, { text: '  ' }], 9, createPaint(8))).toBe('a');
  });

  it('differ between all labels of the label set, and so do the letters', () => {
    expect(new Set(LABELS.map((label) => swatchOf(label).hex)).size).toBe(LABELS.length);
    expect(new Set(LABELS.map((label) => swatchOf(label).letter)).size).toBe(LABELS.length);
  });

  it('are stable for a label nobody knows, whose letter is lower case, and repeat for the seventh speaker', () => {
    expect(swatchOf('boredom')).toEqual(swatchOf('boredom'));
    expect([swatchOf('boredom').letter, swatchOf('123').letter]).toEqual(['b', '?']);
    expect(speakerStyle(6)).toEqual(speakerStyle(0));
  });
});

describe('wording', () => {
  it('writes times, lengths, ratios and counts as people read them', () => {
    expect([0, 62_345, 3_723_000, -5].map(timeText)).toEqual(['00:00.0', '01:02.3', '1:02:03', '00:00.0']);
    expect([499, 59_600, 3_600_000].map(durationText)).toEqual(['00:00', '01:00', '1:00:00']);
    expect([0, 0.001, 0.725, 0.999, 1].map(percentText)).toEqual(['0 %', '1 %', '73 %', '99 %', '100 %']);
    expect([countText(1, 'fault'), countText(1_200, 'fault')]).toEqual(['1 fault', '1,200 faults']);
  });
});
