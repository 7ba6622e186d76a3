import { MODALITIES, type Modality } from '../../domain/modality.ts';
import { cleanText } from './cleanText.ts';
import { paintLine, type Paint, type Span } from './paint.ts';
import { speakerStyle } from './palette.ts';
import { displayWidth, fit } from './textWidth.ts';
import { columnWidths, utteranceRow } from './utteranceRow.ts';
import type { ModalityState, SpeakerView, ViewState } from './viewState.ts';
import { countText, durationText, reasonText } from './wording.ts';

/** The size of a terminal in cells. */
export type ScreenSize = { readonly width: number; readonly height: number };

const MAX_SPEAKER_LINES = 6;
const MIN_ROWS = 3;
const PRESENT = { ansi256: 36, ansi16: 32 };
const ALERT = { ansi256: 214, ansi16: 33 };

/**
 * Returns the whole live screen as lines joined by `\n`: what runs, who is there with which modalities, the latest
 * utterances, and the last fault. No line is wider than the terminal and, from 8 rows on, the screen is not higher.
 */
export function renderLiveScreen(state: ViewState, size: ScreenSize, paint: Paint): string {
  const head = [titleLine(state), ...speakerLines(state, size.width)];
  const foot = faultLine(state);
  const room = size.height - head.length - foot.length - 3;
  const shown = state.recent.slice(-Math.max(MIN_ROWS, room));
  const widths = columnWidths(shown);
  const rows = shown.map((utterance) => {
    const speakerOrder = state.speakers.get(utterance.speaker.id)?.order ?? state.speakers.size;
    return utteranceRow(utterance, { width: size.width, speakerOrder, ...widths });
  });
  const rule: Span[] = [{ text: '─'.repeat(size.width), style: { dim: true } }];
  const body: readonly (readonly Span[])[] =
    rows.length > 0 ? rows : [[{ text: ' listening …', style: { dim: true } }]];
  return [...head, rule, ...body, ...foot].map((line) => paintLine(line, size.width, paint)).join('\n');
}

function titleLine({ session, nowMs }: ViewState): readonly Span[] {
  const settings = session
    ? [
        `weights ${cleanText(session.weights)}`,
        cleanText(session.backend),
        `look-ahead ${session.lookAhead}`,
        `privacy ${cleanText(session.privacy)}`,
      ].join(' · ')
    : 'starting …';
  return [
    { text: ' undertone ', style: { bold: true } },
    { text: ` ${durationText(nowMs)}   `, style: {} },
    { text: settings, style: { dim: true } },
  ];
}

function speakerLines(state: ViewState, width: number): readonly (readonly Span[])[] {
  const views = [...state.speakers.values()];
  if (views.length === 0) return everyoneLine(state);
  const shown = views.slice(0, MAX_SPEAKER_LINES);
  const nameWidth = Math.min(16, Math.max(...shown.map(({ speaker }) => displayWidth(cleanText(speaker.name)))));
  const cellWidths = MODALITIES.map((modality) =>
    Math.max(...shown.map((view) => displayWidth(modalityText(modality, view.modalities[modality])))),
  );
  const lines = shown.map((view) => speakerLine(view, nameWidth, width >= 80 ? cellWidths : []));
  const more = views.length - shown.length;
  return more > 0 ? [...lines, [{ text: ` … and ${countText(more, 'more speaker')}`, style: { dim: true } }]] : lines;
}

function speakerLine(view: SpeakerView, nameWidth: number, cellWidths: readonly number[]): readonly Span[] {
  const name: Span = { text: ` ${fit(cleanText(view.speaker.name), nameWidth)}`, style: speakerStyle(view.order) };
  const cells = MODALITIES.map((modality, index): Span => {
    const state = view.modalities[modality];
    const text = fitAtLeast(modalityText(modality, state), cellWidths[index] ?? 0);
    return { text: `  ${text}`, style: state?.isPresent ? { colour: PRESENT } : { dim: true } };
  });
  return [name, ...cells];
}

function everyoneLine({ everyone }: ViewState): readonly (readonly Span[])[] {
  const absent = MODALITIES.filter((modality) => everyone[modality]?.isPresent === false);
  const text = absent.map((modality) => modalityText(modality, everyone[modality])).join('  ');
  return [[{ text: ` nobody has spoken yet  ${text}`, style: { dim: true } }]];
}

function modalityText(modality: Modality, state: ModalityState | undefined): string {
  if (!state) return `${modality} ?`;
  return state.isPresent ? `${modality} ✓` : `${modality} ✗ ${reasonText(state.reason)}`;
}

function faultLine({ faults, lastFault }: ViewState): readonly (readonly Span[])[] {
  if (!lastFault) return [];
  const text = ` ! ${countText(faults, 'fault')}, last: ${cleanText(lastFault.code)} ${cleanText(lastFault.message)}`;
  return [[{ text, style: { colour: ALERT } }]];
}

function fitAtLeast(text: string, width: number): string {
  return displayWidth(text) >= width ? text : fit(text, width);
}
