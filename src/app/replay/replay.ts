import { from, mergeMap, type Observable } from 'rxjs';
import { analyzeConversation, DEFAULT_CONVERSATION_SETTINGS } from '../../../pipelines/conversation.ts';
import type { MediaReader, VoiceActivityDetector } from '../../adapter.ts';
import type { Insight } from '../../domain/insight.ts';
import type { PrivacyMode } from '../../domain/modality.ts';
import type { EmotionModel } from '../../model/conversation.ts';
import type { Looking } from '../models/openLooking.ts';
import type { ReplayInputs } from './inputs.ts';
import { observeRecording } from './observe.ts';
import type { Transcription } from '../transcribe/transcription.ts';
import { transcribeRecording } from '../transcribe/transcribeRecording.ts';
import { type Moment, pace, type Pacer } from './timeline.ts';

/** What a replay needs that waits or has effects. */
export type ReplayDeps = {
  readonly reader: MediaReader;
  /** Not needed, and not loaded, when no sound is analyzed. */
  readonly vad: VoiceActivityDetector | undefined;
  /** Recognizes speech; without it text comes from captions. */
  readonly transcription?: Transcription | undefined;
  /** Who looks at pictures, and what for; nobody unless given. */
  readonly looking?: Looking | undefined;
  readonly model: EmotionModel;
  readonly weights: string;
  readonly backend: string;
  readonly pacer: Pacer;
  /** Awaited before each moment: lets a slow reader of the results slow the decoder down. */
  readonly whenReady?: () => Promise<void> | undefined;
  readonly onProgress?: (atMs: number) => void;
};

/** How a replay runs. When `stop` is aborted, the recording ends there and what was heard becomes final. */
export type ReplaySettings = {
  readonly privacy: PrivacyMode;
  readonly speed: number | 'max';
  readonly stop: AbortSignal;
};

/** Emits the insights of a recorded call. Live and replay differ in the source and the clock only. */
export function replay(inputs: ReplayInputs, deps: ReplayDeps, settings: ReplaySettings): Observable<Insight> {
  const seen = observeRecording(inputs, deps.reader, deps.vad, deps.looking);
  const paced = pace(seen, settings.speed, deps.pacer);
  const moments = deps.transcription ? transcribeRecording(paced, deps.transcription) : paced;
  const observations$ = from(untilStopped(moments, deps, settings.stop)).pipe(
    mergeMap(({ observations }) => observations),
  );
  return analyzeConversation(
    observations$,
    {
      model: deps.model.open(),
      weights: deps.weights,
      backend: deps.backend,
      now: () => performance.now(),
    },
    {
      ...DEFAULT_CONVERSATION_SETTINGS,
      privacy: settings.privacy,
      hasTurns: inputs.hasTurns,
      extracts: deps.looking?.modalities ?? [],
    },
  );
}

async function* untilStopped(
  moments: AsyncIterable<Moment>,
  deps: ReplayDeps,
  stop: AbortSignal,
): AsyncGenerator<Moment> {
  for await (const moment of moments) {
    if (stop.aborted) return;
    await deps.whenReady?.();
    deps.onProgress?.(moment.atMs);
    yield moment;
  }
}
