import { finalize } from 'rxjs';
import {
  analyzeConversation,
  createAudioFeatures,
  DEFAULT_CONVERSATION_SETTINGS,
} from '../../../pipelines/conversation.ts';
import type { VoiceActivityDetector } from '../../adapter.ts';
import type { PrivacyMode } from '../../domain/modality.ts';
import type { EmotionModel } from '../../model/conversation.ts';
import type { SourceEvent } from '../../server/ingest/sourceEvent.ts';
import type { Analyze } from '../../server/session.ts';
import type { Looking } from '../models/openLooking.ts';
import { WALL_TIMERS } from '../transcribe/timers.ts';
import { transcribeLive } from '../transcribe/transcribeLive.ts';
import type { TranscriptionOptions } from '../transcribe/transcription.ts';
import { createLiveListener } from './listenLive.ts';
import { createLivePictures } from './lookLive.ts';
import { takeInOrder } from './takeInOrder.ts';

/** What every session of a server shares. */
export type LiveAnalysis = {
  readonly vad: VoiceActivityDetector;
  readonly model: EmotionModel;
  readonly weights: string;
  readonly backend: string;
  readonly privacy: PrivacyMode;
  /** Who looks at the pictures of video streams, and what for; nobody unless given. */
  readonly looking?: Looking | undefined;
  /** How speech becomes text; without it text comes from captions alone. */
  readonly transcription?: LiveTranscription | undefined;
};

/** How the speech of live sessions becomes text; `seats` are what they share. */
export type LiveTranscription = Pick<TranscriptionOptions, 'recognizers' | 'captioned' | 'seats' | 'pool'>;

/** Returns what analyzes live sessions: the pipeline of recorded calls, over what producers send and recognizers hear. */
export function createLiveAnalysis(analysis: LiveAnalysis): Analyze {
  const { vad, model, weights, backend, privacy, looking, transcription } = analysis;
  const features = createAudioFeatures();
  return (events$, onTaken) => {
    const listener = createLiveListener(vad);
    const pictures = createLivePictures(looking);
    const heard$ = events$.pipe(
      takeInOrder((event: SourceEvent) => {
        // Of a picture that somebody else looks at, it is heard when it came: without sound nothing else tells the time.
        return listener.take(pictures.take(event) ? { type: 'time', arrivalMs: event.arrivalMs } : event);
      }, onTaken),
      finalize(() => listener.close()),
    );
    const deps = { model: model.open(), weights, backend, features, now: () => performance.now() };
    const transcribed$ = transcription ? transcribeLive(heard$, { ...transcription, timers: WALL_TIMERS }) : heard$;
    const extracts = looking?.modalities ?? [];
    return analyzeConversation(pictures.mergeInto(transcribed$), deps, {
      ...DEFAULT_CONVERSATION_SETTINGS,
      privacy,
      extracts,
    });
  };
}
