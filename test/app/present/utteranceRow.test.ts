import { describe, expect, it } from 'vitest';
import { createPaint, paintLine } from '../../../src/app/present/paint.ts';
import { columnWidths, utteranceRow } from '../../../src/app/present/utteranceRow.ts';
import { ANNA, sampleUtterance } from '../../support/sampleInsights.ts';

const rowAt = (width: number, overrides: Parameters<typeof sampleUtterance>[0] = {}): string => {
  const utterance = sampleUtterance(overrides);
  const layout = { width, speakerOrder: 0, ...columnWidths([utterance]) };
  return paintLine(utteranceRow(utterance, layout), width, createPaint(1));
};

describe('utteranceRow', () => {
  it('gives up weights, bar and name in this order as the terminal gets narrower, never label and confidence', () => {
    expect(rowAt(96).replace(/ {2,}/g, '  ')).toBe(' ● 00:01.2 Anna I got the job!  joy  ━━━━━━━─── 72 %  T▇▇▇ A▇▇');
    expect(rowAt(64)).toBe(' ● 00:01.2 Anna I got the job!       joy     ━━━╸─ 72 % T▄A▃');
    expect(rowAt(50)).toBe(' ● 00:01.2 Anna I got the job!       joy      72 %');
    expect(rowAt(40)).toBe(' ● 00:01.2 I got the job!  joy      72 %');
    expect(rowAt(30)).toBe(' ● 00:01.2 I go… joy      72 %');
  });

  it('says why there is no text', () => {
    expect(rowAt(80, { text: null })).toContain(' (no text: no captions) ');
  });

  it('marks where an answer stands', () => {
    const marks = (['provisional', 'revised', 'final'] as const).map((status) => rowAt(80, { status }).trim()[0]);
    expect(marks).toEqual(['○', '◐', '●']);
  });

  it('keeps columns in place for wide characters and cuts long names', () => {
    const speaker = { ...ANNA, name: 'Bartholomew Featherstone' };
    expect(rowAt(80, { speaker, text: '一緒に' })).toMatch(/^ ● 00:01\.2 Bartholomew… 一緒に {20,}joy/);
    expect(columnWidths([])).toEqual({ nameWidth: 4, labelWidth: 7 });
  });
});
