import type { UtteranceInsight } from '../domain/insight.ts';
import { MODALITIES } from '../domain/modality.ts';
import { make } from './dom.ts';
import { MODALITY_WORDS, percentText, reasonText, timeText } from './wording.ts';

const STATUS_WORDS: Readonly<Record<UtteranceInsight['status'], string>> = {
  provisional: 'first answer',
  revised: 'revised',
  final: 'final',
};

/** Returns the element of an utterance: what was said, the emotion and how sure it is, what it rests on, and what was missing. */
export function viewUtterance(utterance: UtteranceInsight): HTMLElement {
  const { utteranceId, label, confidence, status, speaker, startMs, text } = utterance;
  return make(
    'li',
    { 'data-utterance': utteranceId, 'data-status': status, 'data-emotion': label },
    make(
      'p',
      { class: 'said' },
      make('span', { class: 'when' }, `${timeText(startMs)} ${speaker.name}`),
      text === null ? make('em', {}, `no words: ${reasonText(utterance.availability.text.reason)}`) : text,
    ),
    make(
      'p',
      { class: 'answer' },
      make('strong', { class: 'emotion' }, label),
      meter(confidence, `confidence ${percentText(confidence)}`),
      make('span', {}, percentText(confidence)),
      make('span', { class: 'status' }, STATUS_WORDS[status]),
    ),
    viewWeights(utterance),
    ...viewMissing(utterance),
  );
}

/** Returns what a screen reader is told of an utterance. */
export function announce({ speaker, label, confidence, status }: UtteranceInsight): string {
  return `${speaker.name}: ${label}, ${percentText(confidence)} sure, ${STATUS_WORDS[status]}`;
}

function meter(ratio: number, label: string): HTMLElement {
  return make('meter', { min: '0', max: '1', value: String(ratio), 'aria-label': label });
}

function viewWeights({ modalityWeights }: UtteranceInsight): HTMLElement {
  const there = MODALITIES.filter((modality) => modalityWeights[modality] > 0);
  const label = there.map((modality) => `${MODALITY_WORDS[modality]} ${percentText(modalityWeights[modality])}`);
  return make(
    'div',
    { class: 'weights', role: 'img', 'aria-label': `rests on ${label.join(', ') || 'nothing'}` },
    ...there.map((modality) => {
      const part = make('span', { 'data-modality': modality, title: MODALITY_WORDS[modality] });
      part.append(make('b', {}, MODALITY_WORDS[modality]), ` ${percentText(modalityWeights[modality])}`);
      part.style.flexGrow = String(modalityWeights[modality]);
      return part;
    }),
  );
}

function viewMissing({ availability }: UtteranceInsight): HTMLElement[] {
  const missing = MODALITIES.filter((modality) => availability[modality].share < 1).map((modality) => {
    const { share, reason } = availability[modality];
    const part = share > 0 ? `${percentText(share)} there, ` : '';
    return `${MODALITY_WORDS[modality]}: ${part}${reasonText(reason)}`;
  });
  return missing.length === 0 ? [] : [make('p', { class: 'missing' }, `Missing – ${missing.join('; ')}`)];
}
