import type { FaultInsight, Insight, ModalityInsight, SessionInsight, UtteranceInsight } from '../../domain/insight.ts';
import { MODALITIES, type MissingReason, type Modality } from '../../domain/modality.ts';
import type { Speaker } from '../../domain/speaker.ts';

/** Whether a modality of a speaker is there, and why not. */
export type ModalityState = { readonly isPresent: boolean; readonly reason?: MissingReason };

/** Who is there: a speaker, in which order they appeared (from 0), and what is known of their modalities. */
export type SpeakerView = {
  readonly speaker: Speaker;
  readonly order: number;
  readonly modalities: Readonly<Partial<Record<Modality, ModalityState>>>;
  /** Modalities that a modality insight spoke of; utterances no longer change those. */
  readonly announced: ReadonlySet<Modality>;
};

/** Everything the live view shows, folded from the insights so far. */
export type ViewState = {
  readonly session: SessionInsight | null;
  readonly nowMs: number;
  readonly speakers: ReadonlyMap<string, SpeakerView>;
  readonly everyone: Readonly<Partial<Record<Modality, ModalityState>>>;
  /** The latest utterances in order of start time, at most {@link RECENT_UTTERANCES}. */
  readonly recent: readonly UtteranceInsight[];
  readonly faults: number;
  readonly lastFault: FaultInsight | null;
};

/** How many utterances a view keeps. */
export const RECENT_UTTERANCES = 100;
/** How many speakers a view keeps; utterances of later ones are still shown. */
export const MAX_SPEAKERS = 64;

/** What a view shows before the first insight. */
export const EMPTY_VIEW: ViewState = {
  session: null,
  nowMs: 0,
  speakers: new Map(),
  everyone: {},
  recent: [],
  faults: 0,
  lastFault: null,
};

/** Returns the view after one more insight. A later insight of an utterance replaces the earlier one. */
export function reduceView(state: ViewState, insight: Insight): ViewState {
  const next = { ...state, nowMs: Math.max(state.nowMs, insight.atMs) };
  switch (insight.type) {
    case 'session':
      return { ...next, session: insight };
    case 'utterance':
      return { ...next, speakers: withUtterance(state, insight), recent: withRecent(state.recent, insight) };
    case 'modality':
      return withModality(next, insight);
    case 'fault':
      return { ...next, faults: state.faults + 1, lastFault: insight };
    case 'interim':
    case 'speaker':
    case 'gap':
    case 'summary':
      return next;
  }
}

function withRecent(recent: readonly UtteranceInsight[], insight: UtteranceInsight): readonly UtteranceInsight[] {
  const others = recent.filter(({ utteranceId }) => utteranceId !== insight.utteranceId);
  const before = recent.find(({ utteranceId }) => utteranceId === insight.utteranceId);
  // What is revised after the final answer is no less final.
  const { status } = before?.status === 'final' ? before : insight;
  const later = others.findIndex(({ startMs }) => startMs > insight.startMs);
  return others.toSpliced(later === -1 ? others.length : later, 0, { ...insight, status }).slice(-RECENT_UTTERANCES);
}

function withUtterance(state: ViewState, { speaker, availability }: UtteranceInsight): ViewState['speakers'] {
  const view = viewOf(state, speaker);
  const modalities = { ...view.modalities };
  for (const modality of MODALITIES) {
    if (view.announced.has(modality)) continue;
    const { share, reason } = availability[modality];
    modalities[modality] = { isPresent: share > 0, ...(reason && { reason }) };
  }
  return withSpeaker(state, { ...view, modalities });
}

function withModality(state: ViewState, insight: ModalityInsight): ViewState {
  const { modality, speaker, reason } = insight;
  const change = { [modality]: { isPresent: insight.state === 'present', ...(reason && { reason }) } };
  const changed = (view: SpeakerView): SpeakerView => ({
    ...view,
    modalities: { ...view.modalities, ...change },
    announced: new Set([...view.announced, modality]),
  });
  if (speaker) return { ...state, speakers: withSpeaker(state, changed(viewOf(state, speaker))) };
  const speakers = new Map([...state.speakers].map(([id, view]) => [id, changed(view)]));
  return { ...state, speakers, everyone: { ...state.everyone, ...change } };
}

function viewOf(state: ViewState, speaker: Speaker): SpeakerView {
  const known = state.speakers.get(speaker.id);
  if (known) return { ...known, speaker };
  const announced = new Set(MODALITIES.filter((modality) => state.everyone[modality] !== undefined));
  return { speaker, order: state.speakers.size, modalities: state.everyone, announced };
}

function withSpeaker(state: ViewState, view: SpeakerView): ViewState['speakers'] {
  if (state.speakers.size >= MAX_SPEAKERS && !state.speakers.has(view.speaker.id)) return state.speakers;
  return new Map([...state.speakers, [view.speaker.id, view]]);
}
