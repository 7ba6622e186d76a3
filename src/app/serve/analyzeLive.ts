import { concatMap, finalize, tap } from 'rxjs';
import { analyzeConversation, DEFAULT_CONVERSATION_SETTINGS } from '../../../pipelines/conversation.ts';
import type { VoiceActivityDetector } from '../../adapter.ts';
import type { PrivacyMode } from '../../domain/modality.ts';
import type { EmotionModel } from '../../model/conversation.ts';
import type { Analyze } from '../../server/session.ts';
import { WALL_TIMERS } from '../transcribe/connection.ts';
import { transcribeLive } from '../transcribe/transcribeLive.ts';
import type { TranscriptionOptions } from '../transcribe/transcription.ts';
import { createLiveListener } from './listenLive.ts';

/** What every session of a server shares. */
export type LiveAnalysis = {
  readonly vad: VoiceActivityDetector;
  readonly model: EmotionModel;
  readonly weights: string;
  readonly backend: string;
  readonly privacy: PrivacyMode;
  /** How speech becomes text; without it text comes from captions alone. */
  readonly transcription?: LiveTranscription;
};

/** How the speech of live sessions becomes text; `seats` are what they share. */
export type LiveTranscription = Pick<TranscriptionOptions, 'recognizers' | 'captioned' | 'seats' | 'pool'>;

/** Returns what analyzes live sessions: the pipeline of recorded calls, over what producers send and recognizers hear. */
export function createLiveAnalysis(analysis: LiveAnalysis): Analyze {
  const { vad, model, weights, backend, privacy, transcription } = analysis;
  return (events$, onTaken) => {
    const listener = createLiveListener(vad);
    const observations$ = events$.pipe(
      concatMap((event) => listener.take(event)),
      tap(onTaken),
      concatMap((observations) => observations),
      finalize(() => listener.close()),
    );
    const deps = { model: model.open(), weights, backend, now: () => performance.now() };
    const heard$ = transcription
      ? transcribeLive(observations$, { ...transcription, timers: WALL_TIMERS })
      : observations$;
    return analyzeConversation(heard$, deps, { ...DEFAULT_CONVERSATION_SETTINGS, privacy });
  };
}
