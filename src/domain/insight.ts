import type { Availability, MissingReason, Modality, PerModality } from './modality.ts';
import type { Speaker } from './speaker.ts';

/** Where an utterance insight stands: first answer, changed answer, last answer of the model. */
export const UTTERANCE_STATUSES = ['provisional', 'revised', 'final'] as const;
/** One status of {@link UTTERANCE_STATUSES}. */
export type UtteranceStatus = (typeof UTTERANCE_STATUSES)[number];

/** What we concluded. `seq` counts 1, 2, 3 … over all insights of a session; `atMs` is the session clock at emission. */
export type Insight =
  | SessionInsight
  | InterimInsight
  | UtteranceInsight
  | ModalityInsight
  | SpeakerInsight
  | GapInsight
  | FaultInsight
  | SummaryInsight;

/** The first insight of a session: what is analyzed, with what, and how speakers are known. */
export type SessionInsight = {
  readonly type: 'session';
  readonly seq: number;
  readonly atMs: number;
  readonly labels: readonly string[];
  readonly privacy: string;
  readonly weights: string;
  readonly backend: string;
  readonly lookAhead: number;
  /** What is read from pictures of video; absent when nothing is. */
  readonly vision?: readonly Extract<Modality, 'face' | 'body'>[];
};

/**
 * What a recognizer takes the speech that is going on to be. The next `interim` or `utterance` of the same speaker
 * replaces it; it never becomes final, and a slow reader may miss it.
 */
export type InterimInsight = {
  readonly type: 'interim';
  readonly seq: number;
  readonly atMs: number;
  readonly streamId: string;
  readonly speaker?: Speaker;
  readonly startMs: number;
  readonly endMs: number;
  readonly text: string;
};

/** Emotion of one utterance. Several share an `utteranceId`; each later one replaces the earlier. */
export type UtteranceInsight = {
  readonly type: 'utterance';
  readonly seq: number;
  readonly atMs: number;
  readonly utteranceId: string;
  readonly status: UtteranceStatus;
  /** 0 for the first insight of the utterance, then 1, 2, 3 …. */
  readonly revision: number;
  readonly speaker: Speaker;
  readonly startMs: number;
  readonly endMs: number;
  readonly text: string | null;
  readonly label: string;
  /** Calibrated probability of `label`, in [0, 1]. */
  readonly confidence: number;
  /** Calibrated probability of every label of the label set; sums to 1. */
  readonly probabilities: Readonly<Record<string, number>>;
  readonly modalityWeights: PerModality<number>;
  readonly availability: PerModality<Availability>;
  readonly lookAhead: number;
  /** Session clock at emission minus end of speech; endpointing gap and waiting included. */
  readonly latencyMs: number;
  /** Wall time the model took for this step; the only field that differs between two replays. */
  readonly computeMs: number;
};

/** A modality of a participant (or of the whole session) became present or absent. */
export type ModalityInsight = {
  readonly type: 'modality';
  readonly seq: number;
  readonly atMs: number;
  readonly modality: Modality;
  /** Whose; absent when it concerns every speaker. */
  readonly speaker?: Speaker;
  readonly state: 'present' | 'absent';
  readonly reason?: MissingReason;
};

/** Whoever was known as `speakerId` is `speaker`, in all that was said of them and will be. */
export type SpeakerInsight = {
  readonly type: 'speaker';
  readonly seq: number;
  readonly atMs: number;
  readonly speakerId: string;
  readonly speaker: Speaker;
};

/** Media of a stream from `startMs` to `endMs` never came: what was said then is not in the insights. */
export type GapInsight = {
  readonly type: 'gap';
  readonly seq: number;
  readonly atMs: number;
  readonly streamId: string;
  readonly startMs: number;
  readonly endMs: number;
  readonly reason: MissingReason;
};

/** Something went wrong outside and was survived. `code` is one of the table in src/errors.ts. */
export type FaultInsight = {
  readonly type: 'fault';
  readonly seq: number;
  readonly atMs: number;
  readonly code: string;
  readonly message: string;
  readonly streamId?: string;
};

/** The last insight of a session. Shares are of talk time and sum to 1 per speaker who spoke. */
export type SummaryInsight = {
  readonly type: 'summary';
  readonly seq: number;
  readonly atMs: number;
  readonly durationMs: number;
  readonly utterances: number;
  readonly speakers: readonly SpeakerSummary[];
  /** Words of transcripts that fell outside all speech and were attached to no utterance. */
  readonly droppedWords: number;
  readonly faults: number;
};

/** One speaker's part in a summary. */
export type SpeakerSummary = {
  readonly speaker: Speaker;
  readonly talkMs: number;
  readonly utterances: number;
  readonly emotionShares: Readonly<Record<string, number>>;
  /** Final label of each utterance in order of time; at most the last 2,000. */
  readonly trajectory: readonly { readonly startMs: number; readonly label: string; readonly confidence: number }[];
  /** Mean availability of each modality over the speaker's utterances, weighted by duration. */
  readonly availability: PerModality<number>;
};
