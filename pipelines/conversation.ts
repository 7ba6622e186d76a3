import type { Observable } from 'rxjs';
import type { ConversationModel } from '../src/domain/conversationModel.ts';
import type { Insight } from '../src/domain/insight.ts';
import type { PrivacyMode } from '../src/domain/modality.ts';
import type { Observation } from '../src/domain/observation.ts';
import { createProsodyMeter } from '../src/features/audio/prosody.ts';
import { createSegmentMeter } from '../src/features/audio/segments.ts';
import { toMovement } from '../src/features/body/movement.ts';
import { alignTranscripts, DEFAULT_ALIGNMENT, type AlignmentSettings } from '../src/operators/alignTranscripts.ts';
import { classify, DEFAULT_CLASSIFICATION, type ClassificationSettings } from '../src/operators/classify.ts';
import { collectEvidence, DEFAULT_EVIDENCE } from '../src/operators/collectEvidence.ts';
import type { EvidenceSettings } from '../src/operators/collectEvidence.ts';
import type { AudioFeatures } from '../src/operators/audioEvidence.ts';
import { SAMPLE_RATE_HZ } from '../src/operators/audioRing.ts';
import { DEFAULT_ENDPOINTING, type EndpointingSettings } from '../src/operators/endpointer.ts';
import { endpointing } from '../src/operators/endpointing.ts';
import { followTurns } from '../src/operators/followTurns.ts';
import { nameSpeakers } from '../src/operators/nameSpeakers.ts';
import { numberInsights } from '../src/operators/numberInsights.ts';
import { respectConsent } from '../src/operators/respectConsent.ts';
import { respectPrivacy } from '../src/operators/respectPrivacy.ts';
import type { Visual } from '../src/operators/sight.ts';
import { summarize } from '../src/operators/summarize.ts';
import { toUtterances } from '../src/operators/toUtterances.ts';
import { DEFAULT_MODALITY_WATCH, watchModalities } from '../src/operators/watchModalities.ts';
import type { ModalityWatchSettings } from '../src/operators/watchModalities.ts';

/** What is product decision in the analysis of a conversation. */
export type ConversationSettings = {
  readonly privacy: PrivacyMode;
  /** A diarizer reports turns: from the beginning, they and not voice activity bound the utterances of mixed audio. */
  readonly hasTurns: boolean;
  /** What an extractor reads of the pictures of video streams; nothing unless given. */
  readonly extracts?: readonly Visual[];
  readonly endpointing: EndpointingSettings;
  readonly alignment: AlignmentSettings;
  readonly evidence: EvidenceSettings;
  readonly modalities: ModalityWatchSettings;
  readonly classification: ClassificationSettings;
};

/** The settings of a call with nothing switched off and no diarizer. */
export const DEFAULT_CONVERSATION_SETTINGS: ConversationSettings = {
  privacy: 'none',
  hasTurns: false,
  endpointing: DEFAULT_ENDPOINTING,
  alignment: DEFAULT_ALIGNMENT,
  evidence: DEFAULT_EVIDENCE,
  modalities: DEFAULT_MODALITY_WATCH,
  classification: DEFAULT_CLASSIFICATION,
};

/** What the analysis receives because it waits or has effects, and what it says of it. */
export type ConversationDeps = {
  /** One conversation's model; used by one subscription. */
  readonly model: ConversationModel;
  /** Names of the weights and the tensor backend, for the `session` insight. */
  readonly weights: string;
  readonly backend: string;
  /** Wall time in ms; measures `computeMs` and nothing else. */
  readonly now: () => number;
  /** What is measured of audio; ours unless given. Many conversations should share it ({@link createAudioFeatures}). */
  readonly features?: AudioFeatures;
};

/**
 * Returns what is measured of 16 kHz audio, with its tables and scratch buffers: any number of conversations may share it,
 * for it keeps nothing from one call to the next.
 */
export function createAudioFeatures(): AudioFeatures {
  return { prosody: createProsodyMeter(SAMPLE_RATE_HZ), segments: createSegmentMeter(SAMPLE_RATE_HZ) };
}

/**
 * Emits the insights of a conversation: `session` first, then modalities that come and go, faults, and for each
 * utterance `provisional`, `revised` and `final` answers; `summary` last. The same observations give the same insights,
 * `computeMs` excepted, at any speed. When the source completes, open utterances are closed and everything becomes
 * final; when it fails, what is known becomes final and the error follows. Nothing is buffered beyond the limits in
 * `settings`, and unsubscribing reaches the source.
 * @throws RangeError when a setting breaks its rule.
 */
export function analyzeConversation(
  observations$: Observable<Observation>,
  deps: ConversationDeps,
  settings: ConversationSettings = DEFAULT_CONVERSATION_SETTINGS,
): Observable<Insight> {
  const { model, features = createAudioFeatures(), weights, backend, now } = deps;
  const { privacy, hasTurns, extracts = [] } = settings;
  const { inputs, labels, lookAhead } = model;
  const utterances$ = observations$.pipe(
    respectPrivacy(privacy),
    respectConsent(),
    endpointing(settings.endpointing, hasTurns),
    followTurns(settings.endpointing, hasTurns),
    toUtterances(hasTurns),
    alignTranscripts(settings.alignment, hasTurns),
  );
  return utterances$.pipe(
    collectEvidence({
      inputs,
      privacy,
      hasTurns,
      lookAhead,
      features,
      movement: toMovement,
      extracts,
      settings: settings.evidence,
    }),
    watchModalities({ inputs, privacy, hasTurns, extracts, settings: settings.modalities }),
    classify({ model, now, settings: settings.classification }),
    nameSpeakers(),
    summarize(),
    numberInsights({
      type: 'session',
      atMs: 0,
      labels,
      privacy,
      weights,
      backend,
      lookAhead,
      ...(extracts.length > 0 && { vision: extracts }),
    }),
  );
}
