/** The modalities of the model; face and body are the two streams of the paper's visual mode (METHOD.md). */
export const MODALITIES = ['text', 'audio', 'face', 'body'] as const;
/** One modality. */
export type Modality = (typeof MODALITIES)[number];

/**
 * Why a modality is missing, wholly or partly, for an utterance or a stretch of the session.
 * The list is closed and part of the wire protocol.
 */
export const MISSING_REASONS = [
  'no_video', // no video stream, or the camera is off (black or ended picture)
  'no_captions', // no transcript reaches this utterance (yet)
  'no_speech', // the stream carries no speech
  'no_audio', // no audio stream for this speaker
  'track_ended', // the participant's stream ended before the session
  'decode_error', // the stream could not be decoded from here on
  'overlap', // another speaker talks on the same mixed channel
  'too_short', // not enough signal to measure
  'no_extractor', // no feature extractor for this modality is installed
  'not_in_weights', // the loaded weights were not trained with this input
  'privacy', // switched off by the privacy mode
  'consent', // the participant did not consent
  'language', // a language the text encoder was not trained on
  'late_text', // the text arrived after the utterance was final
  'camera_off', // the participant switched the camera off
  'muted', // the participant switched the microphone off
  'no_face', // the picture shows no face
  'face_small', // the face is too small or too far away to read
  'face_turned', // the face is turned too far from the camera
  'face_covered', // too little of the face is to be seen
  'several_faces', // the picture shows several faces, and nothing says whose is the participant's
  'no_body', // the picture shows no upper body
  'low_light', // the picture is too dark to read
  'vision_down', // the extractor failed or was restarted
  'overload', // there was no time to look or to listen: other work came first
  'transcriber_down', // no speech recognizer works at the moment
  'stalled', // the stream is open and delivers nothing
  'disconnected', // the connection of its producer is lost
  'late', // it arrived too late to be used
  'unsupported_format', // the stream is in a format that cannot be read
] as const;
/** One reason of {@link MISSING_REASONS}. */
export type MissingReason = (typeof MISSING_REASONS)[number];

/** Why a picture gives no row of a face or a body. `late`: not after the picture before; `vision_down`: its reader failed. */
export const SIGHTLESS_REASONS = [
  'no_face',
  'face_small',
  'face_turned',
  'face_covered',
  'several_faces',
  'no_body',
  'low_light',
  'overload',
  'late',
  'decode_error',
  'unsupported_format',
  'no_extractor',
  'vision_down',
] as const;
/** One reason of {@link SIGHTLESS_REASONS}. */
export type SightlessReason = (typeof SIGHTLESS_REASONS)[number];

/** How much of a modality was there: the healthy share in [0, 1] and, when below 1, why the rest is missing. */
export type Availability = { readonly share: number; readonly reason?: MissingReason };

/** One value per modality. */
export type PerModality<T> = Readonly<Record<Modality, T>>;

/** Builds a {@link PerModality} by calling `of` for each modality, in the order of {@link MODALITIES}. */
export function perModality<T>(of: (modality: Modality) => T): PerModality<T> {
  return { text: of('text'), audio: of('audio'), face: of('face'), body: of('body') };
}

/** What is analyzed: `no-face` never looks at a face; `text-only` makes no audio or visual inference at all. */
export const PRIVACY_MODES = ['none', 'no-face', 'text-only'] as const;
/** One privacy mode. */
export type PrivacyMode = (typeof PRIVACY_MODES)[number];
