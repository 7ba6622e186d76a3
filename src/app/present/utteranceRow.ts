import type { UtteranceInsight, UtteranceStatus } from '../../domain/insight.ts';
import { barOf, weightBars, weightCells } from './bars.ts';
import { cleanText } from './cleanText.ts';
import type { Span, Style } from './paint.ts';
import { speakerStyle, swatchOf } from './palette.ts';
import { displayWidth, fit } from './textWidth.ts';
import { percentText, spokenText, timeText } from './wording.ts';

/** What a row needs beside its utterance: the terminal's width, the names' and labels' column widths, the speaker's order. */
export type RowLayout = {
  readonly width: number;
  readonly nameWidth: number;
  readonly labelWidth: number;
  readonly speakerOrder: number;
};

const MARKS: Readonly<Record<UtteranceStatus, string>> = { provisional: '○', revised: '◐', final: '●' };
const WIDE_FROM = 96;
const MEDIUM_FROM = 64;
const NARROW_FROM = 44;

/**
 * Returns an utterance as one row: status mark, time, speaker, text, label, confidence bar, modality weights. What does
 * not fit a narrow terminal goes in this order: wide bars, weights, bar, name. All but final rows are dim.
 */
export function utteranceRow(utterance: UtteranceInsight, layout: RowLayout): readonly Span[] {
  const { width, nameWidth, labelWidth, speakerOrder } = layout;
  const isFinal = utterance.status === 'final';
  const plain: Style = isFinal ? {} : { dim: true };
  const { colour } = swatchOf(utterance.label);
  const before: Span[] = [
    { text: ` ${MARKS[utterance.status]} `, style: { ...plain, colour } },
    { text: `${fit(timeText(utterance.startMs), 7)} `, style: { dim: true } },
  ];
  if (width >= NARROW_FROM) {
    before.push({
      text: `${fit(cleanText(utterance.speaker.name), nameWidth)} `,
      style: { ...plain, ...speakerStyle(speakerOrder), bold: isFinal },
    });
  }
  const after: Span[] = [
    { text: ` ${fit(cleanText(utterance.label), labelWidth)} `, style: { ...plain, bold: isFinal, colour } },
    ...confidenceSpans(utterance, width, plain),
    ...weightSpans(utterance, width),
  ];
  const used = [...before, ...after].reduce((total, { text }) => total + displayWidth(text), 0);
  const said: Span = {
    text: fit(spokenText(utterance), Math.max(0, width - used)),
    style: utterance.text === null ? { dim: true } : plain,
  };
  return [...before, said, ...after];
}

/** Returns the widths of the name and label columns for a set of utterances: as wide as needed, within bounds. */
export function columnWidths(utterances: readonly UtteranceInsight[]): Pick<RowLayout, 'nameWidth' | 'labelWidth'> {
  const longest = (texts: readonly string[]): number =>
    Math.max(0, ...texts.map((text) => displayWidth(cleanText(text))));
  return {
    nameWidth: Math.min(12, Math.max(4, longest(utterances.map(({ speaker }) => speaker.name)))),
    labelWidth: Math.min(11, Math.max(7, longest(utterances.map(({ label }) => label)))),
  };
}

function confidenceSpans(utterance: UtteranceInsight, width: number, plain: Style): readonly Span[] {
  const percent = percentText(utterance.confidence).padStart(5);
  if (width < MEDIUM_FROM) return [{ text: percent, style: plain }];
  const bar = barOf(utterance.confidence, width >= WIDE_FROM ? 10 : 5);
  return [
    { text: bar.filled, style: { ...plain, colour: swatchOf(utterance.label).colour } },
    { text: bar.track, style: { dim: true } },
    { text: percent, style: plain },
  ];
}

function weightSpans(utterance: UtteranceInsight, width: number): readonly Span[] {
  if (width < MEDIUM_FROM) return [];
  const weights = utterance.modalityWeights;
  const text = width >= WIDE_FROM ? `  ${fit(weightBars(weights, 5), 15)}` : ` ${fit(weightCells(weights), 8)}`;
  return [{ text, style: { dim: true } }];
}
