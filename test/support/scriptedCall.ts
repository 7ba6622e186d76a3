import { from, type Observable } from 'rxjs';
import { lastValueFrom, toArray } from 'rxjs';
import { analyzeConversation, DEFAULT_CONVERSATION_SETTINGS } from '../../pipelines/conversation.ts';
import type { ConversationSettings } from '../../pipelines/conversation.ts';
import type { Insight, ModalityInsight, UtteranceInsight } from '../../src/domain/insight.ts';
import type {
  Observation,
  SpeakerTurn,
  StreamOpened,
  Transcript,
  VoiceActivity,
} from '../../src/domain/observation.ts';
import type { Speaker } from '../../src/domain/speaker.ts';
import type { AudioFeatures } from '../../src/operators/audioEvidence.ts';
import { createFakeModel, type FakeModel } from './fakeModel.ts';

export const ADA: Speaker = { id: 'ada', name: 'Ada', source: 'track' };
export const BEN: Speaker = { id: 'ben', name: 'Ben', source: 'track' };
export const FRAME_MS = 32;

/** [startMs, endMs] */
export type Range = readonly [number, number];

export function opened(streamId: string, kind: StreamOpened['kind'], speaker?: Speaker, arrivalMs = 0): StreamOpened {
  return { type: 'streamOpened', arrivalMs, streamId, kind, ...(speaker && { speaker }) };
}

/**
 * Voice blocks of `blockFrames` frames from `fromMs` to `toMs`, each arriving when it is over. In the ranges of speech the
 * probability is 0.95 and the samples are 0.1; elsewhere 0.02 and 0.
 */
export function* voice(
  streamId: string,
  toMs: number,
  speech: readonly Range[],
  { fromMs = 0, blockFrames = 10, delayMs = 0 }: { fromMs?: number; blockFrames?: number; delayMs?: number } = {},
): Generator<VoiceActivity> {
  let range = 0;
  for (let startMs = fromMs; startMs < toMs; startMs += blockFrames * FRAME_MS) {
    const frames = Math.min(blockFrames, Math.ceil((toMs - startMs) / FRAME_MS));
    const isSpeech = (atMs: number): boolean => {
      while ((speech[range]?.[1] ?? Infinity) <= atMs) range++;
      const [fromSpeechMs, toSpeechMs] = speech[range] ?? [Infinity, Infinity];
      return atMs >= fromSpeechMs && atMs < toSpeechMs;
    };
    const flags = Array.from({ length: frames }, (_, index) => isSpeech(startMs + (index + 0.5) * FRAME_MS));
    const samples = new Float32Array(frames * FRAME_MS * 16);
    for (const [index, flag] of flags.entries()) if (flag) samples.fill(0.1, index * 512, (index + 1) * 512);
    yield {
      type: 'voice',
      arrivalMs: startMs + frames * FRAME_MS + delayMs,
      streamId,
      startMs,
      samples,
      speech: Float32Array.from(flags, (flag: boolean): number => (flag ? 0.95 : 0.02)),
      speechStartMs: startMs,
      frameMs: FRAME_MS,
    };
  }
}

export function cue(
  startMs: number,
  endMs: number,
  text: string,
  speaker?: Speaker,
  arrivalMs: number = endMs,
): Transcript {
  return { type: 'transcript', arrivalMs, streamId: 'captions', startMs, endMs, text, ...(speaker && { speaker }) };
}

export function turn(startMs: number, endMs: number, speaker: Speaker, streamId = 'mixed'): SpeakerTurn {
  return { type: 'speakerTurn', arrivalMs: endMs, streamId, speaker, startMs, endMs };
}

/** All observations in the order of arrival; those of the same time in the order given. */
export function inOrder(...observations: readonly Iterable<Observation>[]): readonly Observation[] {
  return observations.flatMap((some) => [...some]).sort((a, b) => a.arrivalMs - b.arrivalMs);
}

/** Features that are easy to foresee: length in seconds, ten times the mean level; one segment of the length. */
export const FAKE_FEATURES: AudioFeatures = {
  prosody: (samples) => {
    const seconds = samples.length / 16_000;
    const level = samples.reduce((sum, sample) => sum + Math.abs(sample), 0) / Math.max(1, samples.length);
    return seconds < 0.2 ? undefined : Float32Array.of(seconds, level * 10, 0, 0, 0, 0, 0, 0);
  },
  segments: (samples) => ({ data: Float32Array.of(samples.length / 1_600) }),
};

export type Setup = { readonly model?: FakeModel; readonly settings?: Partial<ConversationSettings> };

export function analyze(observations$: Observable<Observation>, { model, settings }: Setup = {}): Observable<Insight> {
  const deps = { features: FAKE_FEATURES, weights: 'fake', backend: 'none', now: () => 0 };
  const complete = { ...DEFAULT_CONVERSATION_SETTINGS, ...settings };
  return analyzeConversation(observations$, { ...deps, model: model ?? createFakeModel() }, complete);
}

/** All insights of a session with these observations. */
export async function insightsOf(observations: Iterable<Observation>, setup: Setup = {}): Promise<readonly Insight[]> {
  return lastValueFrom(analyze(from(observations), setup).pipe(toArray()));
}

export function finals(insights: readonly Insight[]): readonly UtteranceInsight[] {
  return utterances(insights).filter((insight) => insight.status === 'final');
}

export function utterances(insights: readonly Insight[]): readonly UtteranceInsight[] {
  return insights.filter((insight) => insight.type === 'utterance');
}

export function modalities(insights: readonly Insight[]): readonly ModalityInsight[] {
  return insights.filter((insight) => insight.type === 'modality');
}

/** Each modality insight as `1000 Ben text absent no_captions`. */
export function modalityLines(insights: readonly Insight[]): readonly string[] {
  return modalities(insights).map(({ atMs, speaker, modality, state, reason }) =>
    [atMs, speaker?.name ?? 'all', modality, state, ...(reason ? [reason] : [])].join(' '),
  );
}
