import type { Modality, SightlessReason } from '../domain/modality.ts';
import type { AudioFormat, ErrorMessage, Participant, ParticipantPolicy, StreamDeclaration } from '../protocol/live.ts';
import type { Drop, DropReason } from './drops.ts';
import type { StreamOption } from './options.ts';
import type { ProducerCounts } from './outbox.ts';
import type { Samples } from './samples.ts';
import type { Status } from './status.ts';
import type { TranscriptOption } from './transcript.ts';

/** What a producer tells its listeners. */
export type ProducerEvents = {
  status: Status;
  /** What may be analyzed of whom, as the server sees it; also after a consent that was set here. */
  policy: readonly ParticipantPolicy[];
  /** Something was refused, and the connection goes on. */
  error: ErrorMessage;
  dropped: Drop;
  /** The server will close: it comes back by itself; new calls are better begun elsewhere. */
  goaway: { readonly leftMs: number; readonly reason: 'shutdown' | 'length' };
};

/**
 * Sends what is seen and heard. Media times are milliseconds since the producer was first live, and rise per stream. What is
 * sent returns false when it was dropped at once (`counts` and the event `dropped` say why); true is no promise, since the
 * connection may stay away for longer than the ring holds.
 */
export type Producer = {
  readonly status: Status;
  /** The id of the session, once the server has said it or it was given. */
  readonly session: string | undefined;
  readonly counts: ProducerCounts;
  /** Media time now: ms since the first `hello` that was welcomed; 0 before. */
  readonly mediaMs: number;
  /** Calls `listener` on every event of the type from now on; returns what ends that. */
  on<K extends keyof ProducerEvents>(type: K, listener: (event: ProducerEvents[K]) => void): () => void;
  /** Resolves once it is live. @throws UndertoneError when it is closed before. */
  ready(): Promise<void>;
  /**
   * Resolves when all that was given is with the socket, or the connection is closed for good. Whoever sends faster than in
   * real time, as from a file, awaits it, so that nothing has to be dropped.
   */
  drained(): Promise<void>;
  /** Sends what waits, says that nothing more comes, and resolves when the server has closed, or after 10 s at most. */
  bye(): Promise<void>;
  /** Closes now; what waits is lost, and the server keeps the session for a while. */
  close(): void;

  /**
   * Sends samples of a `pcm16` stream, in its rate and channels, in as many frames as the server's limit needs.
   * @param mediaMs When they begin; without it they follow those before, or, after a pause, have just ended.
   * @throws TypeError or RangeError when the stream is another, or samples or time break a rule.
   */
  sendAudio(streamId: string, samples: Samples, mediaMs?: number): boolean;
  /**
   * Sends a row of a face or body stream (docs/features.md).
   * @param atMs When it was seen; now unless given.
   * @throws TypeError or RangeError when the stream is another, or a number is not finite.
   */
  sendLandmarks(streamId: string, row: ArrayLike<number>, atMs?: number): boolean;
  /**
   * Says that a picture gave no row of a face or body stream, and why.
   * @param atMs When it was taken; now unless given.
   * @throws TypeError or RangeError when the stream is another, or the time breaks a rule.
   */
  sendSightless(streamId: string, reason: SightlessReason, atMs?: number): boolean;
  /**
   * Sends bytes as they are: an Opus packet or µ-law sound of an audio stream, a JPEG picture of a video stream.
   * @param mediaMs When it begins; now unless given.
   * @throws TypeError or RangeError when the stream is another, or the time breaks a rule.
   */
  sendMedia(streamId: string, payload: Uint8Array, mediaMs?: number): boolean;
  /**
   * Sends words of a captions stream.
   * @throws TypeError or RangeError when the stream is another, the text is too long, or the times break a rule.
   */
  sendTranscript(streamId: string, transcript: TranscriptOption): boolean;

  /** The declaration of a stream that is open, as it is now. @throws TypeError when there is none. */
  stream(streamId: string): StreamDeclaration;
  /** Why nothing may be made of a stream now: its participant did not agree, or the server may not. @throws TypeError */
  refusal(streamId: string): Extract<DropReason, 'consent' | 'policy'> | undefined;
  /**
   * Declares a further stream; it can be sent at once.
   * @throws TypeError when the id was used before, also by a stream that ended, or the participant is not there.
   */
  openStream(stream: StreamOption): void;
  /** Says, after all that was given of it, that a stream is over; nothing more is taken. @throws TypeError as `stream` */
  endStream(streamId: string): void;
  /**
   * Says that what is given of a stream of sound from now on is in another format.
   * @throws TypeError when there is no such stream of sound.
   */
  setFormat(streamId: string, format: AudioFormat): void;
  /** Says that a stream delivers nothing for now, and drops what is given of it until `unmute`. */
  mute(streamId: string): void;
  /** Says that a stream delivers again. */
  unmute(streamId: string): void;

  /** Says that somebody came. @throws TypeError when the id is taken. */
  join(participant: Participant): void;
  /** Says that somebody is called otherwise from now on. @throws TypeError when there is no such participant. */
  rename(participant: string, name: string): void;
  /**
   * Says what a participant agrees to. What is kept of streams that are of no use any more is erased, and nothing more of
   * them is sent.
   * @throws TypeError when there is no such participant.
   */
  setConsent(participant: string, modalities: readonly Modality[]): void;
};
