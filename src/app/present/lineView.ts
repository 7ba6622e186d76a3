import { MODALITIES } from '../../domain/modality.ts';
import type { GapInsight, Insight, ModalityInsight, SpeakerInsight, UtteranceInsight } from '../../domain/insight.ts';
import { createLastingAnswers } from '../../domain/lastingAnswers.ts';
import { cleanText } from './cleanText.ts';
import { paintLine, type Paint, type Span } from './paint.ts';
import { speakerStyle } from './palette.ts';
import type { Presenter, TextOutput } from './presenter.ts';
import { renderSummary } from './summaryScreen.ts';
import { fit } from './textWidth.ts';
import { utteranceRow } from './utteranceRow.ts';
import { percentText, reasonText, spokenText, timeText } from './wording.ts';

const NAME_WIDTH = 10;
const LABEL_WIDTH = 9;
const MAX_SPEAKERS = 1_000;
const PLAIN_SUMMARY_WIDTH = 100;

/**
 * Returns a view that writes one line per final utterance (another for text that comes later) and per change of a modality to `out`, then the summary, and
 * one line per fault to `err`. A terminal gets rows that fit its width; any other output gets whole texts, no escape codes.
 */
export function createLineView(out: TextOutput, err: TextOutput, paint: Paint): Presenter {
  const answers = createLastingAnswers();
  const orders = new Map<string, number>();
  const isTerminal = out.isTTY === true;
  const width = (): number => (isTerminal ? Math.max(20, out.columns ?? 80) : Infinity);
  const orderOf = (speakerId: string): number => {
    const order = orders.get(speakerId) ?? orders.size;
    if (orders.size < MAX_SPEAKERS) orders.set(speakerId, order);
    return order;
  };
  const write = (spans: readonly Span[]): void => {
    out.write(`${paintLine(spans, width(), paint)}\n`);
  };
  const writeUtterance = (utterance: UtteranceInsight): void => {
    const layout = { width: width(), nameWidth: NAME_WIDTH, labelWidth: LABEL_WIDTH };
    const speakerOrder = orderOf(utterance.speaker.id);
    write(isTerminal ? utteranceRow(utterance, { ...layout, speakerOrder }) : utteranceLine(utterance));
  };
  const show = (insight: Insight): void => {
    switch (insight.type) {
      case 'session':
      case 'interim':
        return;
      case 'utterance':
        if (answers.isLasting(insight)) writeUtterance({ ...insight, status: 'final' });
        return;
      case 'modality':
        write(modalityLine(insight, insight.speaker ? orderOf(insight.speaker.id) : null, isTerminal));
        return;
      case 'speaker':
        write(eventLine({ ...insight, ...speakerEvent(insight, orderOf(insight.speakerId)), isTerminal }));
        return;
      case 'gap':
        write(eventLine({ ...insight, ...gapEvent(insight), isTerminal }));
        return;
      case 'fault':
        err.write(`fault ${cleanText(insight.code)}: ${cleanText(insight.message)}\n`);
        return;
      case 'summary':
        out.write(`\n${renderSummary(insight, isTerminal ? width() : PLAIN_SUMMARY_WIDTH, paint)}\n`);
    }
  };
  return { show, close: async () => undefined };
}

/** `00:01.2  Anna        joy        72 %  text 61 %  audio 39 %  I got the job!`: the text comes last, whole. */
function utteranceLine(utterance: UtteranceInsight): readonly Span[] {
  const weights = MODALITIES.filter((modality) => utterance.modalityWeights[modality] > 0)
    .map((modality) => `${modality} ${percentText(utterance.modalityWeights[modality])}`)
    .join('  ');
  const columns = [
    timeText(utterance.startMs),
    fit(cleanText(utterance.speaker.name), NAME_WIDTH),
    fit(cleanText(utterance.label), LABEL_WIDTH),
    percentText(utterance.confidence).padStart(5),
    weights.padEnd(21),
    spokenText(utterance),
  ];
  return [{ text: columns.join('  ') }];
}

/** The same columns as the utterances around it: on a terminal those of a row, elsewhere those of a line. */
function modalityLine(insight: ModalityInsight, order: number | null, isTerminal: boolean): readonly Span[] {
  const { modality, speaker, state, reason } = insight;
  return eventLine({
    ...insight,
    isTerminal,
    mark: state === 'absent' ? ' - ' : ' + ',
    who: { name: speaker?.name ?? 'everyone', order },
    said: `${modality} ${state}${state === 'absent' ? `: ${reasonText(reason)}` : ''}`,
  });
}

type EventLine = {
  readonly atMs: number;
  readonly isTerminal: boolean;
  readonly mark: string;
  readonly who: { readonly name: string; readonly order: number | null };
  readonly said: string;
};

function eventLine({ atMs, isTerminal, mark, who, said }: EventLine): readonly Span[] {
  const gap = isTerminal ? ' ' : '  ';
  return [
    { text: isTerminal ? mark : '', style: { dim: true } },
    { text: fit(timeText(atMs), 7) + gap, style: { dim: true } },
    { text: fit(cleanText(who.name), NAME_WIDTH) + gap, style: who.order === null ? {} : speakerStyle(who.order) },
    { text: said, style: { dim: true } },
  ];
}

type Event = Pick<EventLine, 'mark' | 'who' | 'said'>;

function speakerEvent({ speakerId, speaker }: SpeakerInsight, order: number): Event {
  return { mark: ' = ', who: { name: speaker.name, order }, said: `known as ${cleanText(speakerId)} so far` };
}

function gapEvent({ streamId, startMs, endMs, reason }: GapInsight): Event {
  const said = `nothing from ${timeText(startMs)} to ${timeText(endMs)}: ${reasonText(reason)}`;
  return { mark: ' - ', who: { name: streamId, order: null }, said };
}
