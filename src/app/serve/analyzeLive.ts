import { concatMap, filter, finalize, tap } from 'rxjs';
import { analyzeConversation, DEFAULT_CONVERSATION_SETTINGS } from '../../../pipelines/conversation.ts';
import type { VoiceActivityDetector } from '../../adapter.ts';
import type { PrivacyMode } from '../../domain/modality.ts';
import type { EmotionModel } from '../../model/conversation.ts';
import type { Analyze } from '../../server/session.ts';
import type { Looking } from '../models/openLooking.ts';
import { createLiveListener } from './listenLive.ts';
import { createLivePictures } from './lookLive.ts';

/** What every session of a server shares. */
export type LiveAnalysis = {
  readonly vad: VoiceActivityDetector;
  readonly model: EmotionModel;
  readonly weights: string;
  readonly backend: string;
  readonly privacy: PrivacyMode;
  /** Who looks at the pictures of video streams, and what for; nobody unless given. */
  readonly looking?: Looking | undefined;
};

/** Returns what analyzes live sessions: the pipeline of recorded calls, over what producers send. */
export function createLiveAnalysis({ vad, model, weights, backend, privacy, looking }: LiveAnalysis): Analyze {
  return (events$, onTaken) => {
    const listener = createLiveListener(vad);
    const pictures = createLivePictures(looking);
    const heard$ = events$.pipe(
      filter((event) => {
        const isPicture = pictures.take(event);
        if (isPicture) onTaken();
        return !isPicture;
      }),
      concatMap((event) => listener.take(event)),
      tap(onTaken),
      concatMap((observations) => observations),
      finalize(() => listener.close()),
    );
    const deps = { model: model.open(), weights, backend, now: () => performance.now() };
    const extracts = looking?.modalities ?? [];
    return analyzeConversation(pictures.mergeInto(heard$), deps, {
      ...DEFAULT_CONVERSATION_SETTINGS,
      privacy,
      extracts,
    });
  };
}
