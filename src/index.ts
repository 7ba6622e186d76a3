export { MODALITIES, MISSING_REASONS, PRIVACY_MODES, perModality } from './domain/modality.ts';
export type { Availability, MissingReason, Modality, PerModality, PrivacyMode } from './domain/modality.ts';
export { isSpeakerName, speakerFromName, SPEAKER_SOURCES, UNKNOWN_SPEAKER } from './domain/speaker.ts';
export type { Speaker, SpeakerSource } from './domain/speaker.ts';
export type { Observation } from './domain/observation.ts';
export { UTTERANCE_STATUSES } from './domain/insight.ts';
export type {
  FaultInsight,
  GapInsight,
  Insight,
  InterimInsight,
  ModalityInsight,
  SessionInsight,
  SpeakerInsight,
  SpeakerSummary,
  SummaryInsight,
  UtteranceInsight,
  UtteranceStatus,
} from './domain/insight.ts';
export { MODEL_INPUTS } from './domain/conversationModel.ts';
export type { ConversationModel, ModelInput } from './domain/conversationModel.ts';
export type { Prediction, Utterance, UtteranceEvidence } from './domain/utterance.ts';
export { ERROR_CODES, isUndertoneError, UndertoneError } from './errors.ts';
export type { ErrorCode, ErrorEntry } from './errors.ts';
export { decodeInsight, encodeInsight, PROTOCOL_VERSION } from './protocol/insight.ts';
export { PROSODY_COLUMNS, prosody8 } from './features/audio/prosody.ts';
export { SEGMENT_COLUMNS, segmentDescriptors } from './features/audio/segments.ts';
export { BACKENDS, startBackend } from './model/backend.ts';
export type { Backend, StartedBackend } from './model/backend.ts';
export { createEmotionModel } from './model/conversation.ts';
export type { EmotionModel, SavableConversation } from './model/conversation.ts';
export type { InputSpec, ModelConfig } from './model/config.ts';
export { decodeWeights, encodeWeights } from './model/weights.ts';
export type { Provenance, Weights } from './model/weights.ts';

export type {
  Picture,
  Sighting,
  VisionExtractor,
  VisionModality,
  VisionStream,
  VisionStreamOptions,
} from './adapter.ts';
