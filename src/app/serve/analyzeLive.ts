import { finalize } from 'rxjs';
import {
  analyzeConversation,
  createAudioFeatures,
  DEFAULT_CONVERSATION_SETTINGS,
} from '../../../pipelines/conversation.ts';
import type { VoiceActivityDetector } from '../../adapter.ts';
import type { PrivacyMode } from '../../domain/modality.ts';
import type { EmotionModel } from '../../model/conversation.ts';
import type { Analyze } from '../../server/session.ts';
import { createLiveListener } from './listenLive.ts';
import { takeInOrder } from './takeInOrder.ts';

/** What every session of a server shares. */
export type LiveAnalysis = {
  readonly vad: VoiceActivityDetector;
  readonly model: EmotionModel;
  readonly weights: string;
  readonly backend: string;
  readonly privacy: PrivacyMode;
};

/** Returns what analyzes live sessions: the pipeline of recorded calls, over what producers send. */
export function createLiveAnalysis({ vad, model, weights, backend, privacy }: LiveAnalysis): Analyze {
  const features = createAudioFeatures();
  return (events$, onTaken) => {
    const listener = createLiveListener(vad);
    const observations$ = events$.pipe(
      takeInOrder((event) => listener.take(event), onTaken),
      finalize(() => listener.close()),
    );
    const deps = { model: model.open(), weights, backend, features, now: () => performance.now() };
    return analyzeConversation(observations$, deps, { ...DEFAULT_CONVERSATION_SETTINGS, privacy });
  };
}
