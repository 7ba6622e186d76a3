import type { SpeakerSummary, SummaryInsight } from '../../domain/insight.ts';
import { MODALITIES } from '../../domain/modality.ts';
import { barOf } from './bars.ts';
import { cleanText } from './cleanText.ts';
import { paintLine, type Paint, type Span } from './paint.ts';
import { speakerStyle, swatchOf } from './palette.ts';
import { displayWidth, fit } from './textWidth.ts';
import { countText, durationText, percentText } from './wording.ts';

type Line = readonly Span[];
const MAX_WIDTH = 100;
const INDENT = '   ';

/**
 * Returns the summary as lines joined by `\n`: per speaker the talk time and availability, the share of talk time per
 * emotion as bars, and the trajectory as letters over time. Speakers share one time axis, so columns can be compared.
 */
export function renderSummary(summary: SummaryInsight, terminalWidth: number, paint: Paint): string {
  const width = Math.min(terminalWidth, MAX_WIDTH);
  const talkMs = summary.speakers.reduce((total, speaker) => total + speaker.talkMs, 0);
  const lines: readonly Line[] = [
    titleLine(summary),
    ...summary.speakers.flatMap((speaker, order) => [
      [],
      speakerLine(speaker, order, talkMs),
      availabilityLine(speaker),
      ...shareLines(speaker, width),
      trajectoryLine(speaker, summary.durationMs, width),
    ]),
    ...letterLines(summary),
  ];
  return lines.map((line) => paintLine(line, width, paint)).join('\n');
}

function titleLine(summary: SummaryInsight): Line {
  const facts = [
    durationText(summary.durationMs),
    countText(summary.utterances, 'utterance'),
    countText(summary.speakers.length, 'speaker'),
    countText(summary.faults, 'fault'),
    ...(summary.droppedWords > 0
      ? [`${countText(summary.droppedWords, 'word')} of transcripts outside all speech`]
      : []),
  ];
  return [{ text: ' Summary  ', style: { bold: true } }, { text: facts.join(' · ') }];
}

function speakerLine({ speaker, talkMs, utterances }: SpeakerSummary, order: number, all: number): Line {
  const part = all > 0 ? ` (${percentText(talkMs / all)} of talk time)` : '';
  return [
    { text: ` ${cleanText(speaker.name)}`, style: speakerStyle(order) },
    { text: `  ${durationText(talkMs)}${part} · ${countText(utterances, 'utterance')}` },
  ];
}

function availabilityLine({ availability }: SpeakerSummary): Line {
  const shares = MODALITIES.map((modality) => `${modality} ${percentText(availability[modality])}`);
  return [{ text: `${INDENT}available: ${shares.join('  ')}`, style: { dim: true } }];
}

function shareLines({ emotionShares }: SpeakerSummary, width: number): readonly Line[] {
  const shares = Object.entries(emotionShares).filter(([, share]) => share > 0);
  const labelWidth = Math.min(14, Math.max(7, ...shares.map(([label]) => displayWidth(cleanText(label)))));
  const barWidth = Math.max(8, Math.min(40, width - labelWidth - INDENT.length - 8));
  return shares
    .sort(([, a], [, b]) => b - a)
    .map(([label, share]) => {
      const { colour } = swatchOf(label);
      const bar = barOf(share, barWidth);
      return [
        { text: `${INDENT}${fit(cleanText(label), labelWidth)} `, style: { colour } },
        { text: bar.filled, style: { colour } },
        { text: bar.track, style: { dim: true } },
        { text: percentText(share).padStart(6) },
      ];
    });
}

/** One column per stretch of time; of several utterances in a column, the one we are surest of stands for it. */
function trajectoryLine({ trajectory }: SpeakerSummary, durationMs: number, width: number): Line {
  const end = durationText(durationMs);
  const start = durationText(0);
  const columns = Math.max(8, width - INDENT.length - start.length - end.length - 2);
  const best = new Map<number, SpeakerSummary['trajectory'][number]>();
  for (const point of trajectory) {
    const column = Math.min(columns - 1, Math.floor((point.startMs / Math.max(1, durationMs)) * columns));
    if (point.confidence >= (best.get(column)?.confidence ?? 0)) best.set(column, point);
  }
  const cells = Array.from({ length: columns }, (_, column): Span => {
    const point = best.get(column);
    if (!point) return { text: '·', style: { dim: true } };
    const { letter, colour } = swatchOf(point.label);
    return { text: letter, style: { bold: true, colour } };
  });
  return [{ text: `${INDENT}${start} `, style: { dim: true } }, ...cells, { text: ` ${end}`, style: { dim: true } }];
}

function letterLines({ speakers }: SummaryInsight): readonly Line[] {
  const labels = new Set(speakers.flatMap(({ trajectory }) => trajectory.map(({ label }) => label)));
  if (labels.size === 0) return [];
  const letters = [...labels].sort().map((label): Span => {
    const { letter, colour } = swatchOf(label);
    return { text: `${letter} ${cleanText(label)}  `, style: { colour } };
  });
  return [[], [{ text: INDENT }, ...letters]];
}
